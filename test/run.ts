/** `npm test`: the suite on every runtime, one after the other. `npm test -- bun deno` runs those only. */

import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { filesFor, RUNTIMES, type Runtime } from './support/suites.ts'

const COMMANDS: Readonly<Record<Runtime, (files: string[]) => string[]>> = {
  workerd: () => ['vitest', 'run', '--root', '.', '--config', 'test/support/vitest.config.ts'],
  deno: (files) => ['deno', 'test', '--no-check', '--allow-all', '--unstable-kv', '--quiet', ...files],
  bun: (files) => ['bun', 'test', '--timeout', '60000', ...files.map((file) => `./${file}`)],
  node: (files) => ['node', '--test', ...files],
}

const chosen = RUNTIMES.filter((runtime) => process.argv.length < 3 || process.argv.includes(runtime))
const failed = chosen.filter((runtime) => {
  const files = filesFor(runtime)
  console.log(`\n== ${runtime}: ${files.length} files ==`)
  const [command = '', ...options] = COMMANDS[runtime](files)
  return spawnSync(command, options, { stdio: 'inherit' }).status !== 0
})

console.log(`\nran on ${chosen.join(', ')}; failed on ${failed.join(', ') || 'none'}`)
console.log(`runtimes: ${chosen.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length > 0 || chosen.length === 0 ? 1 : 0
