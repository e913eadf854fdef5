#!/usr/bin/env node
/** Starts the command line: from the sources in a checkout, from what is built of them in the package. */

import { existsSync } from 'node:fs'
import process from 'node:process'

const source = new URL('../src/cli/edgemint.ts', import.meta.url)
const isCheckout = existsSync(source)

// The first versions with SQLite, and with TypeScript, without a flag.
const needed = isCheckout ? [22, 18] : [22, 13]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(`edgemint: Node ${needed.join('.')} or newer is needed, and this is Node ${process.versions.node}`)
  process.exitCode = 1
} else await import(isCheckout ? source.href : '../dist/cli/edgemint.js')
