import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '#runtime'
import { describe, test } from '#test'
import { readConfig } from '../../src/config.ts'
import type { Config, Problem } from '../../src/config_types.ts'
import { curlLine } from '../../src/runtime/announce.ts'
import { jsonOperator } from '../../src/runtime/operator.ts'
import { auditLog, processHost } from '../../src/runtime/process.ts'
import { announce, UNSIGNED_TEXT } from '../../src/runtime/serve.ts'
import { drainable } from '../../src/runtime/stop.ts'
import { createServer, type Host, type Server, UNCONFIGURED_LINE } from '../../src/start.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const written: string[] = []
const log = auditLog((text) => void written.push(text))
type Own = Parameters<typeof processHost>[1]
const opening = (storeUrl: string, own: Partial<Own> = {}) =>
  processHost({}, { log, ...own }).openStores({ storeUrl } as Config)

/** Runs a function with another console. */
async function withConsole<T>(print: (line: string) => void, run: () => T | Promise<T>): Promise<T> {
  const { log, error } = console
  Object.assign(console, { log: print, error: print })
  try {
    return await run()
  } finally {
    Object.assign(console, { log, error })
  }
}
const notice = { notice: 'setting_suspicious', message: 'two' } as const
const gone = () => {
  throw new Error('EPIPE')
}

describe('processHost', () => {
  test('passes the environment, and a clock of whole seconds', () => {
    const environment = { ISSUER: 'https://tokens.example' }
    const host = processHost(environment, { log })
    assert.equal(host.environment, environment)
    assert.equal(host.storeSetting, 'STORE_URL')
    const [before, now, after] = [Date.now() / 1000, host.now(), Date.now() / 1000]
    assert.ok(Number.isInteger(now) && now > before - 1 && now <= after)
  })

  const settings: readonly Problem['setting'][] = [
    ...['ISSUER', 'SIGNING_KEYS', 'STORE_URL', 'ACCESS_TOKEN_LIFETIME', 'ACCESS_TOKEN_PROFILE', 'PORT'],
    ...['TOKEN_REUSE_SECONDS', 'AUDIT_LOG'],
    ...['CACHE_SECONDS', 'CLIENT_ASSERTION_LIFETIME', 'REGISTRATION_TOKEN', 'INTROSPECTIONS_PER_MINUTE', 'HOST'],
    ...['DPOP_NONCE_REQUIRED', 'TRUSTED_PROXIES', 'CLIENT_CERT_VERIFIED', 'SECURITY_CONTACT'],
  ] as readonly Problem['setting'][]
  for (const setting of settings) {
    test(`returns a command that sets ${setting} to an accepted value`, () => {
      const command = processHost({}, { log }).commandFor(setting)
      const value = new RegExp(`(?:^|&& )export ${setting}=(\\S+|"\\$\\(.+\\)")$`).exec(command)?.[1]
      assert.ok(value !== undefined, command)
      if (value.startsWith('"')) return
      const config = readConfig({ ISSUER: 'https://tokens.example', SIGNING_KEYS: 'keys', [setting]: value })
      assert.ok(!Array.isArray(config), JSON.stringify(config))
    })
  }

  test('proposes another file than the one that could not be opened', () => {
    const failed = 'sqlite:/var/lib/edgemint/edgemint.db'
    const commandAfter = (STORE_URL?: string) => processHost({ STORE_URL }, { log }).commandFor('STORE_URL')
    assert.equal(commandAfter(), `export STORE_URL=${failed}`)
    assert.equal(commandAfter(failed), 'export STORE_URL=sqlite:/data/edgemint.db')
  })

  test('returns the commands that leave development and restore the bindings', () => {
    const { commandFor } = processHost({}, { log })
    assert.equal(commandFor('DEV'), 'unset DEV')
    assert.match(commandFor('wrangler.toml'), /wrangler\.toml$/)
  })

  test('resolves the addresses of a host name', async () => {
    const addresses = await processHost({}, { log }).resolve?.('localhost')
    assert.ok(addresses !== undefined && addresses.length > 0)
    for (const address of addresses) assert.match(address, /^(127\.0\.0\.1|::1)$/)
  })

  test('writes audit lines to the log, and warnings to the console', async () => {
    const printed: string[] = []
    await withConsole(
      (line) => printed.push(line),
      () => {
        const host = processHost({}, { log })
        host.write('one')
        host.warn('two', notice)
      },
    )
    await log.written()
    assert.deepEqual([printed, written.join('')], [['two'], 'one\n'])
  })

  test('ignores a closed console', () => withConsole(gone, () => processHost({}, { log }).warn('lost', notice)))
})

describe('STORE_URL', () => {
  test('memory: opens a new store each time', async () => {
    const [one, two] = [await opening('memory:'), await opening('memory:')]
    await one.registry.put('a', '1')
    assert.equal(await one.registry.get('a'), '1')
    assert.equal(await two.registry.get('a'), undefined)
  })

  test('sqlite: opens a file that keeps its records', async () => {
    const url = `sqlite:${join(folder, 'a:b', 'edgemint.db')}`
    const one = await opening(url)
    await one.registry.put('a', '1')
    assert.equal(await one.ledger.add('b', '', Math.floor(Date.now() / 1000) + 60), true)
    await one.close()
    const two = await opening(url)
    assert.equal(await two.registry.get('a'), '1')
    assert.equal(await two.ledger.get('b'), '')
    await two.close()
  })

  test('sqlite: says which file cannot be opened', async () => {
    const url = `sqlite:${join(folder, 'a:b', 'edgemint.db')}`
    await (await opening(url)).close()
    await assert.rejects(opening(`${url}/below.db`), (error: Error) => {
      assert.equal(error.message, 'names a file that cannot be opened')
      assert.match(String(error.cause), /EEXIST|ENOTDIR|not a directory|exists/i)
      return true
    })
  })

  for (const url of ['redis://127.0.0.1:1', 'rediss://127.0.0.1:1']) {
    test(`${url} is opened without waiting for a connection`, async () => {
      const { registry, close } = await opening(url)
      await assert.rejects(registry.get('a'), /no connection to Redis/)
      await close()
    })
  }

  for (const url of ['denokv:', 'postgres://127.0.0.1', 'nothing', ':']) {
    test(`${url} is not supported on this runtime`, async () => {
      await assert.rejects(async () => opening(url), TypeError)
    })
  }

  test('a runtime can add stores, which get the whole URL', async () => {
    const asked: string[] = []
    const backends = {
      own: async (url: string) => {
        asked.push(url)
        return memoryStores(() => NOW)
      },
    }
    await opening('own:a:b', { backends })
    await opening('memory:', { backends })
    assert.deepEqual(asked, ['own:a:b'])
  })
})

describe('announce', () => {
  const server = (dev: boolean | undefined, ledgerError?: string, isSigning = true): Server => ({
    app: {} as Server['app'],
    config: dev === undefined ? undefined : ({ dev } as Config),
    readReadiness: async () => ({ isSigning, ledgerError }),
  })
  for (const [name, dev, address, lines] of [
    ['in production', false, '::', ['edgemint: listening on http://[::]:9000']],
    ['of one interface', false, '10.0.0.1', ['edgemint: listening on http://10.0.0.1:9000']],
    ['without settings', undefined, '0.0.0.0', ['edgemint: listening on http://0.0.0.0:9000', UNCONFIGURED_LINE]],
    ['of loopback', false, '127.0.0.1', ['edgemint: listening on http://127.0.0.1:9000']],
    [
      'in development on all interfaces, as this machine calls them',
      true,
      '0.0.0.0',
      ['edgemint: listening on http://localhost:9000', curlLine('http://localhost:9000')],
    ],
    [
      'in development, with what to try',
      true,
      '127.0.0.1',
      ['edgemint: listening on http://localhost:9000', curlLine('http://localhost:9000')],
    ],
  ] as const) {
    test(`prints the address ${name}`, async () => {
      const printed: string[] = []
      await withConsole(
        (line) => printed.push(line),
        () => announce(server(dev), { hostname: address, port: 9000 }),
      )
      assert.deepEqual(printed, lines)
      await withConsole(gone, () => announce(server(dev), { hostname: address, port: 9000 }))
    })
  }

  test('warns when no key signs and the store cannot be reached', async () => {
    const printed: string[] = []
    await withConsole(
      (line) => printed.push(line),
      async () => {
        announce(server(false, 'no connection', false), { hostname: '::', port: 9000 })
        await new Promise((resolve) => setTimeout(resolve))
      },
    )
    const warning =
      'STORE_URL cannot be reached yet: no connection. Requests that need it are answered with 503 until it can.'
    const unsigned = `edgemint: ${UNSIGNED_TEXT}. Requests for tokens are answered with 503 until one does.`
    assert.deepEqual(printed, ['edgemint: listening on http://[::]:9000', unsigned, `edgemint: ${warning}`])
  })
})

describe('jsonOperator', () => {
  test('prints each notice as one line of JSON, without invisible characters, and ignores a closed console', async () => {
    const printed: string[] = []
    const message = 'ISSUER\n\u202e is missing'
    await withConsole(
      (line) => printed.push(line),
      () => jsonOperator.warn('for people', { notice: 'setting_invalid', message, setting: 'ISSUER' }),
    )
    const line = '{"notice":"setting_invalid","message":"ISSUER\\n\\u202e is missing","setting":"ISSUER"}'
    assert.deepEqual(printed, [line])
    await withConsole(gone, () => jsonOperator.print('', notice))
  })
})

describe('drainable', () => {
  const answer = () => new Response('a', { status: 201, headers: { ETag: '"1"' } })
  const request = () => new Request('http://localhost')

  test('asks to close each connection from then on', async () => {
    const { app, drain } = drainable({ fetch: answer })
    const ask = async () => {
      const response = await app.fetch(request())
      return [response.status, response.headers.get('Connection'), response.headers.get('ETag'), await response.text()]
    }
    assert.deepEqual(await ask(), [201, null, '"1"', 'a'])
    const drained = drain(async () => undefined)
    assert.deepEqual(await ask(), [201, 'close', '"1"', 'a'])
    await drained
  })

  test('asks to close the connection of a request that was under way', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>()
    const { app, drain } = drainable({ fetch: () => promise })
    const answered = app.fetch(request())
    const drained = drain(async () => undefined)
    resolve(answer())
    assert.equal((await answered).headers.get('Connection'), 'close')
    await drained
  })

  test('stops to listen only after the last request', async () => {
    const { app, drain } = drainable({ fetch: answer })
    let isStopped = false
    let asked = 0
    const drained = drain(async () => {
      isStopped = true
    })
    for (; asked < 20; asked++) {
      await app.fetch(request())
      assert.equal(isStopped, false)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    await drained
    assert.equal(isStopped, true)
  })
})

describe('start', () => {
  /** What each runtime passes to the handler in addition to the request. */
  const connections: readonly ((address: string) => object)[] = [
    (address) => ({ incoming: { rawHeaders: ['Host', 'localhost:8080'], socket: { remoteAddress: address } } }),
    (address) => ({ remoteAddr: { hostname: address } }),
    (address) => ({ requestIP: () => ({ address }) }),
  ]
  const connection = (address: string) => Object.assign({}, ...connections.map((each) => each(address)))
  const body = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Host: 'localhost:8080' }
  const request = () => new Request('http://localhost:8080/token', { method: 'POST', body, headers })

  test('serves the configured server, with the address of the peer from the runtime', async () => {
    let given: Host | undefined
    const printed: string[] = []
    const create = (host: Host) => {
      given = host
      return createServer({ ...host, environment: { DEV: 'true', STORE_URL: 'memory:' }, write: () => undefined })
    }
    const handler = await withConsole(
      (line) => printed.push(line),
      () => start(create, false),
    )
    assert.deepEqual(printed, [], 'a module that is not the main one does not listen')
    const serve = handler.fetch as (request: Request, connection: object) => Promise<Response>
    const from = async (address: string) => (await serve(request(), connection(address))).status
    assert.equal(await from('127.0.0.1'), 200)
    assert.equal(await from('192.0.2.1'), 503)
    assert.ok('PATH' in (given?.environment ?? {}))
  })
})

describe('curlLine', () => {
  test('returns a request that works in development', () => {
    const line = curlLine('http://localhost:8080')
    assert.match(line, /^edgemint: development mode, try: curl http:\/\/localhost:8080\/token( -d \w+=[\w-]+){3}$/)
    for (const pair of ['grant_type=client_credentials', 'client_id=test-client', 'client_secret=foobar']) {
      assert.ok(line.includes(` -d ${pair}`))
    }
  })
})
