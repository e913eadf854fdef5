#!/usr/bin/env node
/** Starts the command line: from the sources in a checkout, from what is built of them in the package. */

import { existsSync } from 'node:fs'

const source = new URL('../src/cli/edgemint.ts', import.meta.url)
await import(existsSync(source) ? source.href : '../dist/cli/edgemint.js')
