import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from '#test'
import { answers, endWithThis, freePort, killGroup } from '../support/process.ts'

const RUNTIMES = ['node src/index.ts', 'bun src/index.ts', 'deno run --allow-all src/index.ts'] as const

const FORM = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'

interface Started {
  readonly child: ChildProcess
  readonly port: number
}

async function start(command: string): Promise<Started> {
  const port = await freePort()
  const env = { ...process.env, DEV: 'true', PORT: `${port}`, STORE_URL: 'memory:' }
  const child = spawn('sh', ['-c', command], { env, detached: true, stdio: 'ignore' })
  endWithThis(child)
  while (!(await answers(`http://127.0.0.1:${port}`))) {
    assert.equal(child.exitCode, null, `${command} does not start`)
    await setTimeout(50)
  }
  return { child, port }
}

function end({ child: { pid } }: Started): void {
  if (pid !== undefined) killGroup(pid)
}

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket
}

/** Requests a token. Returns the status, or the code of the error. */
function ask(port: number, agent: Agent): Promise<number | string> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': FORM.length }
  const options = { port, agent, headers, host: '127.0.0.1', method: 'POST', path: '/token' }
  return new Promise((resolve) => {
    const asked = request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    asked.on('error', ({ message }) => resolve(message))
    asked.end(FORM)
  })
}

describe('a stop', () => {
  for (const command of RUNTIMES) {
    test(`does not wait for connections without a request: ${command}`, async () => {
      const [idle, busy] = await Promise.all([start(`exec ${command}`), start(`exec ${command}`)])
      try {
        // Only this server has to wait until the limit.
        const head = 'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n'
        const texts = ['', head, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n']
        const sockets = await Promise.all([
          open(busy.port, `${head}Content-Length: 1000\r\n\r\na`),
          ...texts.map((text) => open(idle.port, text)),
        ])
        await setTimeout(200)
        const ended = [idle, busy].map(async (started) => {
          await once(started.child, 'exit')
          return started
        })
        for (const { child } of [busy, idle]) child.kill('SIGTERM')
        assert.equal(await Promise.race(ended), idle)
        assert.equal(idle.child.exitCode, 0)
        for (const socket of sockets) socket.destroy()
      } finally {
        for (const started of [idle, busy]) end(started)
      }
    })

    for (const [how, before] of [
      ['directly', 'exec '],
      ['by npm', 'exec npm exec --call '],
    ] as const) {
      for (const keepAlive of [false, true]) {
        const clients = keepAlive ? 'reuse their connections' : 'open a connection for each request'
        test(`loses no request of clients that ${clients} and go elsewhere a second later; started ${how}: ${command}`, async () => {
          const started = await start(`${before}'${command}'`.replace(/^exec '(.*)'$/, 'exec $1'))
          const agent = new Agent({ keepAlive, maxSockets: Number.POSITIVE_INFINITY })
          try {
            let isOver = false
            const outcomes = new Set<number | string>()
            const lanes = Array.from({ length: 30 }, async () => {
              while (!isOver) outcomes.add(await ask(started.port, agent))
            })
            await setTimeout(500)
            started.child.kill('SIGTERM')
            await setTimeout(1000)
            isOver = true
            await Promise.all(lanes)
            assert.deepEqual([...outcomes], [200])
          } finally {
            agent.destroy()
            end(started)
          }
        })
      }
    }
  }
})
