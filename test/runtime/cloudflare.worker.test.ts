import { env } from 'cloudflare:workers'
import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Config, Problem } from '../../src/config_types.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { Ledger as Exported, start } from '../../src/runtime/cloudflare.ts'
import { createServer, type Host, type Server } from '../../src/start.ts'
import { Ledger } from '../../src/stores/durable_object.ts'
import { withoutClock } from '../support/clock.ts'

/** Starts on Workers. Returns the host that the server gets, the handler and the printed lines. */
async function startWith(environment: Record<string, string> = {}) {
  let host: Host | undefined
  const printed: string[] = []
  const { log, error } = console
  console.log = (line: string) => printed.push(line)
  console.error = (line: string) => printed.push(line)
  try {
    const handler = await start((given) => {
      host = given
      return createServer({ ...given, environment, write: () => undefined, warn: () => undefined })
    }, true)
    assert.ok(host !== undefined)
    return { host, handler, printed }
  } finally {
    Object.assign(console, { log, error })
  }
}

test('the start does not read the clock', async () => {
  const keys = [await generateKey('ES256', 1), await generateKey('ES256', 2)]
  const environment = { ISSUER: 'https://tokens.example', SIGNING_KEYS: JSON.stringify({ keys }) }
  let server: Server | undefined
  const createHere = async (host: Host): Promise<Server> => {
    server = await createServer({ ...host, environment })
    return server
  }
  const { fetch } = await withoutClock(() => start(createHere, true))
  assert.ok(server?.config !== undefined)
  const jwks = await fetch(new Request('https://tokens.example/.well-known/jwks.json'))
  assert.equal(jwks.status, 200)
})

describe('start on Workers', () => {
  test('passes the bindings as settings, and a clock of whole seconds', async () => {
    const { host } = await startWith()
    assert.equal(host.environment, env)
    assert.equal(host.storeSetting, 'wrangler.toml')
    const [before, now, after] = [Date.now() / 1000, host.now(), Date.now() / 1000]
    assert.ok(Number.isInteger(now) && now > before - 1 && now <= after)
    assert.equal(host.resolve, undefined)
  })

  test('serves the app, and prints a request to try in development', async () => {
    const { handler, printed } = await startWith({ DEV: 'true' })
    const body = new URLSearchParams('grant_type=client_credentials&client_id=test-client&client_secret=foobar')
    const response = await handler.fetch(new Request('http://localhost:8080/token', { method: 'POST', body }))
    assert.equal(response.status, 200)
    assert.equal(printed.length, 1)
    assert.match(
      printed[0] ?? '',
      /^edgemint: development mode, try \(8080 unless wrangler dev has another --port\): curl http:\/\/localhost:8080\/token /,
    )
    assert.deepEqual((await startWith()).printed, ['edgemint: every request is answered with 503 until then.'])
  })

  test('writes audit lines to the log, and warnings to the error log', async () => {
    const { host } = await startWith()
    const printed: string[] = []
    const { log, error } = console
    console.log = (line: string) => printed.push(`log ${line}`)
    console.error = (line: string) => printed.push(`error ${line}`)
    try {
      host.write('one')
      host.warn('two', { notice: 'not_configured', message: '' })
    } finally {
      Object.assign(console, { log, error })
    }
    assert.deepEqual(printed, ['log one', 'error two'])
  })

  test('exports the Ledger class, which also rotates keys', () => {
    assert.ok(Exported.prototype instanceof Ledger)
    assert.equal(Exported.name, 'Ledger')
  })

  const commands: readonly [setting: Problem['setting'], command: RegExp][] = [
    ['ISSUER', /^echo https:\/\/\S+ \| npx wrangler secret put ISSUER$/],
    ['SIGNING_KEYS', /^openssl .*rsa_keygen_bits:2048 \| npx wrangler secret put SIGNING_KEYS$/],
    ['REGISTRATION_TOKEN', /^openssl rand -hex 32 \| npx wrangler secret put REGISTRATION_TOKEN$/],
    ['DEV', /^npx wrangler secret delete DEV$/],
    ['wrangler.toml', /^git checkout wrangler\.toml && npx wrangler deploy$/],
    ['CACHE_SECONDS', /^npx wrangler secret put CACHE_SECONDS$/],
    ['STORE_URL', /^npx wrangler secret put STORE_URL$/],
  ]
  for (const [setting, command] of commands) {
    test(`returns the command that sets ${setting}`, async () => {
      assert.match((await startWith()).host.commandFor(setting), command)
    })
  }
})

describe('stores on Workers', () => {
  const open = async () => (await startWith()).host.openStores({} as Config)

  test('use the bindings', async () => {
    const { registry, ledger, close } = await open()
    await registry.put('client:worker', '1')
    assert.equal(await (env['CLIENTS'] as { get(key: string): Promise<string> }).get('client:worker'), '1')
    const now = Math.floor(Date.now() / 1000)
    assert.equal(await ledger.add('jti:worker', 'x', now + 60), true)
    assert.equal(await ledger.get('jti:worker'), 'x')
    assert.equal(await ledger.add('jti:late', 'x', now - 60), true)
    assert.equal(await ledger.get('jti:late'), undefined)
    await close()
  })

  const bindings = env as Record<string, unknown>
  const wrong: readonly [name: string, value: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'get list idFromName'],
    ['another binding', {}],
  ]
  for (const [setting, kind] of [
    ['CLIENTS', 'a KV namespace'],
    ['LEDGER', 'the Durable Object class Ledger'],
  ] as const) {
    for (const [name, value] of wrong) {
      test(`are refused if ${setting} is ${name}`, async () => {
        const held = bindings[setting]
        bindings[setting] = value
        try {
          await assert.rejects(open(), { name: 'TypeError', message: `does not bind ${setting} to ${kind}` })
        } finally {
          bindings[setting] = held
        }
      })
    }
  }
})

describe('the client certificate that Cloudflare reports', () => {
  const cf = (tlsClientAuth: object | null | undefined) => ({ tlsClientAuth })
  const certificateOf = async (properties: object | undefined) => {
    const { host } = await startWith()
    const init = properties === undefined ? {} : { cf: properties }
    return host.certificateOf?.(new Request('https://tokens.example/token', init as RequestInit))
  }

  const verified = [
    'SUCCESS',
    'FAILED:self signed certificate',
    'FAILED:certificate has expired',
    'NONE',
    'success',
    '',
  ]
  for (const certVerified of verified) {
    for (const certRevoked of ['0', '1', '', undefined]) {
      const isVerified = certVerified === 'SUCCESS' && certRevoked === '0'
      test(`"${certVerified}", revoked: ${certRevoked}, is ${isVerified ? '' : 'not '}verified`, async () => {
        const certificate = await certificateOf(cf({ certRFC9440: ':AA==:', certVerified, certRevoked }))
        assert.deepEqual(certificate, { clientCert: ':AA==:', isVerified })
      })
    }
  }

  for (const [name, properties] of [
    ['is empty', cf({ certRFC9440: '', certVerified: 'SUCCESS', certRevoked: '0' })],
    ['was not sent', cf({ certVerified: 'SUCCESS', certRevoked: '0' })],
    ['was not requested', cf(null)],
    ['is not mentioned', cf(undefined)],
    ['belongs to a request without cf', undefined],
  ] as const) {
    test(`is absent if it ${name}`, async () => assert.equal(await certificateOf(properties), undefined))
  }
})
