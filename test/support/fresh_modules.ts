/** Runs before each test file on workerd, where one worker runs them all and keeps the modules that it has loaded. */

import { expect, vi } from 'vitest'

/** These test how modules load. */
const FRESH: readonly string[] = ['/test/start.test.ts']

const { testPath = '' } = expect.getState()
if (FRESH.some((file) => testPath.endsWith(file))) vi.resetModules()
