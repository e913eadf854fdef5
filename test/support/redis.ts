/** A `redis-server` of the test's own, or the loud word that there is none on this machine. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from './process.ts'

export interface RedisServer {
  readonly url: string
  /** Lets it answer nothing until it resumes. */
  pause(): void
  resume(): void
  stop(): void
}

/**
 * Gives undefined where the program is absent; CI installs it.
 *
 * @param folder where it keeps what it holds, for the next one that is started there; otherwise that is lost
 */
export async function startRedis(port?: number, folder?: string): Promise<RedisServer | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    console.error(
      '\n!!! redis-server is not installed: THE REDIS TESTS DID NOT RUN (apt-get install redis-server) !!!\n',
    )
    return undefined
  }
  port ??= await freePort()
  const options = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    folder ?? mkdtempSync(join(tmpdir(), 'edgemint-')),
    ...(folder === undefined ? [] : ['--appendonly', 'yes']),
  ]
  const child = spawn('redis-server', options, { stdio: 'ignore' })
  process.on('exit', () => child.kill('SIGKILL'))
  while (!(await listens(port))) await new Promise((resolve) => setTimeout(resolve, 20))
  child.unref()
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: () => void child.kill('SIGKILL'),
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
