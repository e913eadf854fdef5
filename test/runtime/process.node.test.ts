import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { constants } from 'node:os'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { describe, test } from '#test'
import { answers, freePort } from '../support/process.ts'

const START_MILLISECONDS = 60_000
const STORE_URL = 'memory:'

const ways: readonly [name: string, command: (port: number) => string][] = [
  ['node', () => 'node src/index.ts'],
  ['bun', () => 'bun run src/index.ts'],
  ['deno run', () => 'deno run --allow-all src/index.ts'],
  ['deno serve', (port) => `deno serve --allow-all --port ${port} src/index.ts`],
]

/** Returns the first data received, or an empty string if the connection ends without any. */
function answerOn(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (octets) => resolve(String(octets)))
    socket.once('close', () => resolve(''))
  })
}

interface Started {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a server whose console is not read, after `before` in the same shell. */
async function start(command: (port: number) => string, before = ''): Promise<Started> {
  const port = await freePort()
  const env = { ...process.env, DEV: 'true', PORT: `${port}`, STORE_URL }
  const child = spawn('sh', ['-c', `${before} exec ${command(port)}`], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const deadline = Date.now() + START_MILLISECONDS
  while (!(await answers(`http://localhost:${port}`))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('does not start')
    await pause(50)
  }
  return { child, port }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function whileRunning({ child, port }: Started, use: (port: number) => Promise<void>): Promise<void> {
  try {
    await use(port)
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

const FORM = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'

function head(length: number): string {
  return `POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${length}\r\n\r\n`
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Signals the server to stop while one request is half sent and another never ends. */
async function stopUnderLoad({ child, port }: Started): Promise<void> {
  const slow = await open(port)
  slow.write(head(FORM.length) + FORM.slice(0, 20))
  const endless = await open(port)
  endless.write(head(1000))
  const trickle = setInterval(() => endless.writable && endless.write('a'), 500)
  await pause(500)
  const ended = once(child, 'exit')
  // Twice, because npm passes on a signal that the process gets from the terminal too.
  child.kill('SIGTERM')
  child.kill('SIGTERM')
  await pause(500)
  slow.write(FORM.slice(20))
  assert.match(await answerOn(slow), /^HTTP\/1\.1 200 /)
  assert.deepEqual(await ended, [0, null])
  clearInterval(trickle)
}

test('each answers pending requests after SIGTERM, and ends although a request body does not', async () => {
  const servers = await Promise.all(ways.map(([, command]) => start(command)))
  await Promise.all(servers.map((started) => whileRunning(started, () => stopUnderLoad(started))))
})

for (const [name, command] of ways) {
  test(`${name} ends at once when the same signal arrives again half a second later`, async () => {
    const started = await start(command)
    await whileRunning(started, async (port) => {
      const { child } = started
      const endless = await open(port)
      endless.write(head(1000))
      await pause(200)
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await pause(700)
      child.kill('SIGTERM')
      // Not the signal itself, which has no effect on process 1 of a container.
      assert.deepEqual(await ended, [128 + constants.signals.SIGTERM, null])
    })
  })

  test(`${name} answers requests while its log is not read, and writes every line later`, async () => {
    const started = await start(command)
    await whileRunning(started, async (port) => {
      // More than the pipe and the buffer of this process can hold.
      const requests = 600
      const client_id = 'x'.repeat(256)
      for (let index = 0; index < requests; index++) {
        const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: `${index}` })
        const response = await fetch(`http://localhost:${port}/token`, {
          method: 'POST',
          body,
          signal: AbortSignal.timeout(START_MILLISECONDS),
        })
        assert.equal(response.status, 401)
        await response.body?.cancel()
      }
      const { stdout } = started.child
      assert.ok(stdout !== null)
      const log = text(stdout)
      await pause(500)
      started.child.kill('SIGTERM')
      const events = (await log).split('\n').filter((line) => line.includes('"reason":"client_unknown"'))
      assert.equal(events.length, requests)
      for (const line of events) assert.equal(JSON.parse(line).client_id, client_id)
    })
  })
}

describe('without free file handles', () => {
  for (const [name, command] of ways) {
    test(`${name} answers pending requests, and accepts connections again when handles are free`, async () => {
      const started = await start(command, 'ulimit -n 200;')
      await whileRunning(started, async (port) => {
        const slow = await open(port)
        slow.write(head(FORM.length) + FORM.slice(0, 20))
        const idle: Socket[] = []
        for (let index = 0; index < 300; index++) idle.push(connect(port, '127.0.0.1').on('error', () => undefined))
        await pause(1500)
        slow.write(FORM.slice(20))
        const answer = answerOn(slow)
        assert.match(await answer, /^HTTP\/1\.1 200 /)
        for (const socket of idle) socket.destroy()
        const deadline = Date.now() + START_MILLISECONDS
        while (!(await answers(`http://localhost:${port}`)) && Date.now() < deadline) await pause(100)
        assert.ok(await answers(`http://localhost:${port}`))
        assert.equal(started.child.exitCode, null)
      })
    })
  }
})
