/** Child processes of a benchmark, which end when the benchmark ends. */

import { spawn } from 'node:child_process'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { endWithThis } from '../test/support/process.ts'

/** Runs a program to its end. Returns its standard output. @throws Error if it fails */
export async function runToEnd(command: string, options: readonly string[], cwd = '.'): Promise<string> {
  const child = spawn(command, options, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThis(child)
  const closed = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  if (code !== 0) throw new Error(`${command} ${options.join(' ')}: ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Exits on signals, so that `endWithThis` and other handlers of `exit` run. */
export function exitOnSignals(): void {
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.on(signal, () => process.exit(128 + number))
}
