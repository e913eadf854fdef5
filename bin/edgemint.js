#!/usr/bin/env node
/** Starts the command line: from the sources in a checkout, from what is built of them in the package. */

import { existsSync } from 'node:fs'
import process from 'node:process'

const isCheckout = existsSync(new URL('../src/cli/edgemint.ts', import.meta.url))

// The first versions with SQLite, and with TypeScript, without a flag.
const needed = isCheckout ? [22, 18] : [22, 13]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(`edgemint: Node ${needed.join('.')} or newer is needed, and this is Node ${process.versions.node}`)
  process.exitCode = 1
} else {
  // First of all it notes which process started this one, because npm may end while the rest is loaded.
  await import(isCheckout ? '../src/runtime/parent.ts' : '../dist/runtime/parent.js')
  await import(isCheckout ? '../src/cli/edgemint.ts' : '../dist/cli/edgemint.js')
}
