import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from '#test'
import { generateKey } from '../src/keys/key_set.ts'
import { answers, freePort, startServer } from './support/process.ts'

const MAIN = resolve('src/cli/edgemint.ts')

const RUNTIMES = ['node', 'bun', 'deno run --allow-all'] as const

/** As long as a server may take to end. */
const STOP_MILLISECONDS = 10_000

const folder = mkdtempSync(join(tmpdir(), 'edgemint-serve-'))

const requestToken = (origin: string): Promise<Response> => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'test-client',
    client_secret: 'foobar',
  })
  return fetch(`${origin}/token`, { method: 'POST', body })
}

describe('edgemint serve', () => {
  for (const runtime of RUNTIMES) {
    test(`${runtime}: issues a token in development, and ends with one line if the port is taken`, async () => {
      const server = await startServer((port) => ({
        command: `cd ${folder} && ${runtime} ${MAIN} serve --dev --port ${port}`,
        environment: {},
      }))
      try {
        assert.equal((await requestToken(server.origin)).status, 200)
        const { port } = new URL(server.origin)
        const [command = '', ...args] = `${runtime} ${MAIN} serve --dev --port ${port}`.split(' ')
        const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
        const line = `edgemint: port ${port} of 127.0.0.1 is in use by another process; set PORT or --port to another one\n`
        assert.deepEqual([status, stdout, stderr], [1, '', line])
      } finally {
        await server.stop()
      }
    })
  }

  for (const runtime of RUNTIMES) {
    test(`${runtime}: --check reports what is wrong, without listening`, async () => {
      const port = await freePort()
      const [command = '', ...args] = `${runtime} ${MAIN} serve --check`.split(' ')
      const check = (settings: Readonly<Record<string, string>>, ...more: string[]) => {
        const env = { ...process.env, PORT: `${port}`, ...settings }
        const { status, stdout, stderr } = spawnSync(command, [...args, ...more], {
          cwd: folder,
          env,
          encoding: 'utf8',
        })
        return { status, stdout, stderr }
      }
      const ready = 'edgemint: the settings are valid, a key signs, and the store answers\n'
      assert.deepEqual(check({}, '--dev'), { status: 0, stdout: ready, stderr: '' })
      const bare = check({ SIGNING_KEY: 'hush' })
      assert.deepEqual([bare.status, bare.stdout], [1, ''])
      assert.match(bare.stderr, /^edgemint: SIGNING_KEY is not a setting; did you mean SIGNING_KEYS\?\n/)
      assert.match(bare.stderr, /\nedgemint: ISSUER is missing\. .*\nedgemint: SIGNING_KEYS is missing\. .*\n$/)
      const far = check({ STORE_URL: 'redis://user:hush@127.0.0.1:1' }, '--dev')
      assert.deepEqual([far.status, far.stdout], [1, ''])
      assert.match(far.stderr, /^edgemint: STORE_URL cannot be reached: no connection to Redis: .*\n$/)
      const keys = [await generateKey('ES256', 4_000_000_000)]
      const settings = { ISSUER: 'https://tokens.example.com', STORE_URL: 'memory:' }
      const early = check({ ...settings, SIGNING_KEYS: JSON.stringify({ keys }) })
      assert.deepEqual([early.status, early.stdout], [1, ''])
      assert.match(early.stderr, /^edgemint: no key of SIGNING_KEYS signs yet: .*\n$/)
      assert.ok(!`${bare.stderr}${far.stderr}`.includes('hush'))
      // The port is free: nothing listened.
      const probe = createServer().listen(port)
      await once(probe, 'listening')
      probe.close()
    })
  }

  for (const runtime of RUNTIMES) {
    test(`${runtime}: --check names the directory that it may not write, and ends where no file system creates a folder`, () => {
      const locked = mkdtempSync(join(folder, 'locked-'))
      mkdirSync(join(locked, 'read-only'), { mode: 0o500 })
      const check = (path: string) => {
        const [command = '', ...args] = [...unprivileged(), ...`${runtime} ${MAIN} serve --check --dev`.split(' ')]
        const env = { ...process.env, STORE_URL: `sqlite:${path}` }
        return spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
      }
      const path = join(locked, 'read-only', 'a', 'edgemint.db')
      const { status, stderr } = check(path)
      const problem = `names ${path}, but this process may not write ${join(locked, 'read-only')}: give its user that right, or name another file`
      assert.deepEqual([status, stderr.split('. Set it: ')[0]], [1, `edgemint: STORE_URL ${problem}`])
      const { status: ended, stderr: printed } = check('/proc/none/edgemint.db')
      assert.equal(ended, 1)
      assert.match(printed, /^edgemint: STORE_URL names .*\n$/)
    })
  }

  for (const runtime of RUNTIMES) {
    test(`${runtime}: --json prints problems, warnings, the address and the outcome of --check as lines of JSON`, async () => {
      const check = (settings: Readonly<Record<string, string>>, words: string) => {
        const [command = '', ...args] = `${runtime} ${MAIN} serve --json --check ${words}`.trim().split(' ')
        const { status, stdout, stderr } = spawnSync(command, args, {
          cwd: folder,
          env: { ...process.env, ...settings },
          encoding: 'utf8',
        })
        return { status, stdout: noticesIn(stdout), stderr: noticesIn(stderr) }
      }
      const message = 'the settings are valid, a key signs, and the store answers'
      assert.deepEqual(check({}, '--dev'), { status: 0, stdout: [{ notice: 'ready', message }], stderr: [] })
      const { status, stdout, stderr } = check({ SIGNING_KEY: 'hush' }, '')
      assert.deepEqual([status, stdout], [1, []])
      const shown = stderr.map(({ notice, setting, command }) => [notice, setting, command?.split('=')[0]])
      assert.deepEqual(shown, [
        ['setting_suspicious', undefined, undefined],
        ['setting_invalid', 'ISSUER', 'export ISSUER'],
        [
          'setting_invalid',
          'SIGNING_KEYS',
          'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signing-key.pem && export SIGNING_KEYS',
        ],
      ])
      const far = check({ STORE_URL: 'redis://127.0.0.1:1' }, '--dev')
      assert.deepEqual([far.status, far.stderr.map(({ notice }) => notice)], [1, ['store_unreachable']])
      const server = await startServer((port) => ({
        command: `cd ${folder} && ${runtime} ${MAIN} serve --dev --json --port ${port}`,
      }))
      await server.stop()
      const [listening] = noticesIn(server.output())
      assert.deepEqual([listening?.['notice'], listening?.['url']], ['listening', server.origin])
    })
  }

  test('a port that is no port ends the process, because no other is tried', () => {
    const { status, stderr } = spawnSync('node', [MAIN, 'serve', '--dev', '--port', 'http'], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    assert.match(stderr, /PORT must be a whole number/)
  })
})

describe('a server that npm started', () => {
  for (const runtime of RUNTIMES) {
    test(`${runtime}: ends when npm gets SIGTERM`, async () => {
      const server = await startServer((port) => ({
        command: `exec npm exec --call '${runtime} src/index.ts'`,
        environment: { DEV: 'true', PORT: `${port}`, STORE_URL: 'memory:' },
      }))
      const { pid = 0, origin } = server
      try {
        process.kill(pid, 'SIGTERM')
        const deadline = Date.now() + STOP_MILLISECONDS
        while (await answers(origin)) {
          assert.ok(Date.now() < deadline, 'the server outlives the npm that started it')
          await setTimeout(100)
        }
      } finally {
        endGroup(pid)
      }
    })
  }
})

function noticesIn(output: string): readonly Readonly<Record<string, string>>[] {
  const lines = output.split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line)).filter(({ notice }) => notice !== undefined)
}

/** Returns the command that takes from root the right to write everywhere. Others do not have it. */
function unprivileged(): readonly string[] {
  return process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'] : []
}

/** Ends the server, too, if it outlived npm. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is empty, as it should be.
  }
}
