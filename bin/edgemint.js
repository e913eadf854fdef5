#!/usr/bin/env node
/** Starts the command line: from the sources in a checkout, from what is built of them in the package. */

import { existsSync } from 'node:fs'

const isCheckout = existsSync(new URL('../src/cli/edgemint.ts', import.meta.url))

// First of all it notes which process started this one, because npm may end while the rest is loaded.
await import(isCheckout ? '../src/runtime/parent.ts' : '../dist/runtime/parent.js')
await import(isCheckout ? '../src/cli/edgemint.ts' : '../dist/cli/edgemint.js')
