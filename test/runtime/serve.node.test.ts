import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from '#test'
import { answers, endWithThis, freePort, killGroup, startServer } from '../support/process.ts'

const STORE_URL = 'memory:'

/** As long as a server may take to end. */
const STOP_MILLISECONDS = 10_000
const RUNTIMES = ['node', 'bun', 'deno run --allow-all'] as const

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(command: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const { DEV: _dev, ...inherited } = process.env
  const env = { ...inherited, NO_COLOR: '1', STORE_URL, ...environment }
  const child = spawn(command, { shell: true, detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThis(child)
  return child
}

/** Runs a command that ends by itself. */
async function run(command: string, environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { stdout, stderr, ...child } = withOutput(start(command, environment))
  const [code] = (await child.closed) as [number | null]
  return { code, stdout: await stdout, stderr: await stderr }
}

function withOutput(child: ChildProcess) {
  assert.ok(child.stdout !== null && child.stderr !== null)
  return { closed: once(child, 'close'), stdout: text(child.stdout), stderr: text(child.stderr) }
}

describe('a port that is taken', () => {
  test('is one line on stderr and exit code 1, and nothing is said to listen', async () => {
    const port = await freePort()
    const other = createServer()
    await once(other.listen(port, '127.0.0.1'), 'listening')
    const commands = [
      ...RUNTIMES.flatMap((runtime) => [`${runtime} src/index.ts`, `${runtime} src/cli/edgemint.ts serve --dev`]),
      `deno serve --allow-all --host 127.0.0.1 --port ${port} src/index.ts`,
    ]
    try {
      for (const command of commands) {
        const { code, stdout, stderr } = await run(command, { DEV: 'true', PORT: `${port}` })
        const own = stderr
          .split('\n')
          .filter((line) => line !== '' && !line.includes('did you mean to run "deno serve"'))
        assert.equal(own.length, 1, `${command} printed ${stderr}`)
        assert.match(
          own[0] ?? '',
          /^edgemint: (port \d+ of 127\.0\.0\.1|the port) is in use by another process; set .*--port/,
          command,
        )
        assert.deepEqual([code, stdout], [1, ''], command)
      }
    } finally {
      other.close()
    }
  })

  test('is not shared by two Buns', async () => {
    const server = await startServer((port) => ({
      command: 'exec bun src/index.ts',
      environment: { DEV: 'true', PORT: `${port}`, STORE_URL },
    }))
    try {
      const { code, stdout } = await run('bun src/index.ts', { DEV: 'true', PORT: new URL(server.origin).port })
      assert.deepEqual([code, stdout], [1, ''])
    } finally {
      await server.stop()
    }
  })
})

describe('where there is nothing to listen on', () => {
  for (const runtime of RUNTIMES) {
    test(`${runtime} exits with 1 instead of listening somewhere else`, async () => {
      const { code, stdout, stderr } = await run(`${runtime} src/index.ts`, { DEV: 'true', PORT: '80a' })
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, /^edgemint: PORT must be a whole number from 0 to 65535\. Set it: export PORT=8080$/m)
      const refused = await run(`${runtime} src/index.ts`, { DEV: 'true', HOST: '0.0.0.0', PORT: '0' })
      assert.deepEqual([refused.code, refused.stdout], [1, ''])
      assert.match(refused.stderr, /^edgemint: HOST must be a loopback address in development\. Set it: /m)
    })
  }
})

describe('a server whose npm was stopped', () => {
  const FORM = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'

  async function untilItAnswers(origin: string): Promise<void> {
    while (!(await answers(origin))) await setTimeout(50)
  }

  for (const [name, environment, command] of [
    // npm ends its shell and nothing else. `true` keeps every shell from replacing itself with the command.
    ...RUNTIMES.map((runtime) => [runtime, { npm_lifecycle_event: 'npx' }, `${runtime} src/index.ts; true`] as const),
    ['npm run', {}, 'exec npm run dev:node'] as const,
  ]) {
    test(`answers what it was asked, and ends: ${name}`, async () => {
      const port = await freePort()
      const child = start(command, { DEV: 'true', PORT: `${port}`, ...environment })
      const { closed, stdout } = withOutput(child)
      const origin = `http://127.0.0.1:${port}`
      await untilItAnswers(origin)
      let send: (text: string) => void = () => undefined
      const body = new ReadableStream<string>({
        start(controller) {
          controller.enqueue(FORM.slice(0, 20))
          send = (rest) => {
            controller.enqueue(rest)
            controller.close()
          }
        },
      }).pipeThrough(new TextEncoderStream())
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const init: RequestInit & { readonly duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' }
      const answer = fetch(`${origin}/token`, init)
      child.kill('SIGTERM')
      await setTimeout(1000)
      send(FORM.slice(20))
      assert.equal((await answer).status, 200)
      const ended = closed.then(() => true)
      // The pipe is closed when the last process that writes to it has ended.
      const isEnded = await Promise.race([ended, setTimeout(STOP_MILLISECONDS, false, { ref: false })])
      assert.ok(child.pid !== undefined)
      killGroup(child.pid)
      assert.ok(isEnded, 'the server outlives the npm that started it')
      assert.match(await stdout, /"event":"token_issued"/)
      assert.equal(await answers(origin), false)
    })
  }
})

describe('a server that is orphaned while it starts', () => {
  for (const command of RUNTIMES.flatMap((runtime) => [
    `${runtime} src/index.ts`,
    `${runtime} bin/edgemint.js serve`,
  ])) {
    test(`ends if npm started it, and stays if a shell did: ${command}`, async () => {
      // The shell ends at once, long before the command can ask who its parent is.
      const orphan = async (environment: Readonly<Record<string, string | undefined>>) => {
        const port = await freePort()
        const env = { ...process.env, DEV: 'true', PORT: `${port}`, STORE_URL, ...environment }
        const child = spawn('sh', ['-c', `${command} & true`], {
          env,
          detached: true,
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        endWithThis(child)
        await once(child, 'exit')
        assert.ok(child.pid !== undefined)
        return { group: child.pid, closed: once(child, 'close'), origin: `http://127.0.0.1:${port}` }
      }
      const [ofNpm, ofShell] = await Promise.all([
        orphan({ npm_lifecycle_event: 'start' }),
        orphan({ npm_lifecycle_event: undefined }),
      ])
      try {
        while (!(await answers(ofShell.origin))) await setTimeout(50)
        const ended = ofNpm.closed.then(() => true)
        assert.ok(await Promise.race([ended, setTimeout(STOP_MILLISECONDS, false, { ref: false })]))
        assert.ok(await answers(ofShell.origin))
      } finally {
        for (const { group } of [ofNpm, ofShell]) killGroup(group)
      }
    })
  }
})
