/** Real servers as child processes, for tests that run on Node. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'

export interface Running {
  /** Of the shell, or of the server itself where the command begins with `exec`. */
  readonly pid: number | undefined
  readonly origin: string
  /** All that it printed so far. */
  output(): string
  stop(): Promise<void>
}

const START_MILLISECONDS = 60_000

/** Process groups that have to end with this process. */
const groups = new Set<number>()
process.prependListener('exit', () => {
  for (const group of groups) killGroup(group)
})

/** Kills a detached child and its own children when this process exits, however it does, except by a signal that it does not handle. */
export function endWithThis(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  groups.add(pid)
  child.on('close', () => groups.delete(pid))
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    // The group has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}

/**
 * Starts `command` in a shell, in a process group of its own, and waits until it answers on `port`, whatever it answers; it is
 * asked every `pollMilliseconds`.
 */
export async function startServer(
  command: string,
  port: number,
  environment: Record<string, string> = {},
  pollMilliseconds = 100,
): Promise<Running> {
  const { DEV: _dev, ...inherited } = process.env
  const env = { ...inherited, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1', ...environment }
  const child = spawn(command, { shell: true, detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThis(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk
    })
  const running = { pid: child.pid, origin: `http://localhost:${port}`, output: () => printed, stop: () => stop(child) }
  const deadline = Date.now() + START_MILLISECONDS
  for (;;) {
    if (await answers(running.origin)) return running
    if (child.exitCode !== null || Date.now() > deadline) {
      await running.stop()
      throw new Error(`${command} does not answer:\n${printed}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds))
  }
}

export async function answers(origin: string): Promise<boolean> {
  try {
    await (await fetch(`${origin}/.well-known/jwks.json`)).body?.cancel()
    return true
  } catch {
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const closed = once(child, 'close')
  killGroup(child.pid)
  await closed
}
