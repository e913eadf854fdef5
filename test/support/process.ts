/** Real servers as child processes, for tests that run on Node. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** Kills the processes of a group, of which there may be none left. */
export function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    // The group has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Below the ports that operating systems hand out by themselves, to connections too. */
const FIRST_PORT = 20_000
const PORTS = 12_000

const reserved = new Set<string>()
process.prependListener('exit', () => {
  for (const folder of reserved) rmdirSync(folder)
})

/** Returns a port that no process listens on, and that no other test process is given while this one runs. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORTS)
    if (reserve(port) && (await isFree(port))) return port
  }
}

function reserve(port: number): boolean {
  const folder = join(tmpdir(), `edgemint-port-${port}`)
  try {
    mkdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  reserved.add(folder)
  return true
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

export interface Launch {
  /** Run by a shell. */
  readonly command: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether its output is thrown away, so that any answer has to count as its own. */
  readonly isSilent?: boolean
}

/** A process that another one keeps from its port says so and ends. */
const IN_USE = /EADDRINUSE|AddrInUse|address (is )?already in use|is port \d+ in use|is in use by another process/i
const ATTEMPTS = 5

/**
 * Starts a server in a process group of its own, and waits until it has printed that it listens on the port, and answers there.
 * Tries again on another port where this one was taken meanwhile.
 *
 * @param launchOn what to start so that it listens on this port of localhost
 * @param pollMilliseconds how often it is asked for an answer
 * @throws Error with all that it printed, when it ends or does not answer in a minute
 */
export async function startServer(
  launchOn: (port: number) => Launch | Promise<Launch>,
  pollMilliseconds = 100,
): Promise<Running> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = await freePort()
    const running = await startOn(port, await launchOn(port), pollMilliseconds)
    if (running !== undefined) return running
  }
  throw new Error(`${ATTEMPTS} ports were taken by other processes`)
}

/** Returns undefined when another process has the port. */
async function startOn(port: number, launch: Launch, pollMilliseconds: number): Promise<Running | undefined> {
  const { command, environment, isSilent = false } = launch
  const child = spawnServer(command, environment)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      printed += chunk
    })
  const running = { pid: child.pid, origin: `http://localhost:${port}`, output: () => printed, stop: () => stop(child) }
  // As edgemint, `wrangler dev` and `workerd serve --control-fd` say it.
  const announcement = new RegExp(`(listening|Ready) on \\S+:${port}\\b|"port":${port}\\b`)
  const deadline = Date.now() + START_MILLISECONDS
  for (;;) {
    const isItself = isSilent || announcement.test(printed)
    if (isItself && (await answers(running.origin)) && child.exitCode === null) return running
    if (child.exitCode !== null || Date.now() > deadline) {
      await running.stop()
      if (IN_USE.test(printed)) return undefined
      throw new Error(`${command} does not answer on port ${port}:\n${printed}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds))
  }
}

function spawnServer(command: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const { DEV: _dev, ...inherited } = process.env
  const env = { ...inherited, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1', ...environment }
  const child = spawn(command, { shell: true, detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThis(child)
  return child
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
