import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { createServer, type Host } from '../src/start.ts'
import type { ReadOptions, Stores } from '../src/stores/contracts.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { NOW } from './support/world.ts'

const howTo = {
  method: 'POST',
  body: new URLSearchParams('grant_type=client_credentials&client_id=test-client&client_secret=foobar'),
}

async function start(environment: Record<string, unknown>, parts: Partial<Host> = {}) {
  const warnings: string[] = []
  const lines: string[] = []
  const server = await createServer({
    environment,
    fetch: () => Promise.reject(new Error('no network')),
    openStores: async () => memoryStores(() => NOW),
    storeSetting: 'STORE_URL',
    commandFor: (setting) => `set ${setting}`,
    now: () => NOW,
    write: (line) => lines.push(line),
    warn: (line) => warnings.push(line),
    ...parts,
  })
  return { ...server, warnings, lines }
}

describe('createServer in development', () => {
  const server = start({ DEV: 'true' })

  for (const origin of ['http://localhost:8080', 'http://127.0.0.1:9', 'http://[::1]:8080']) {
    test(`answers the how-to on ${origin}, as its own issuer`, async () => {
      const response = await (await server).app.request(`${origin}/token`, howTo)
      assert.equal(response.status, 200)
      const { access_token } = (await response.json()) as { access_token: string }
      assert.equal(JSON.parse(atob(access_token.split('.')[1] ?? '')).iss, origin)
    })
  }

  for (const host of ['https://tokens.example', 'http://192.168.0.1:8080', 'http://localhost.example']) {
    test(`answers nothing on ${host}`, async () => {
      const { app, lines } = await server
      for (const path of ['/token', '/.well-known/jwks.json']) {
        const response = await app.request(host + path, path === '/token' ? howTo : {})
        assert.equal(response.status, 503)
        assert.equal(JSON.parse(lines.at(-1) ?? '').reason, 'host_not_loopback')
      }
    })
  }

  test('answers nothing to a peer on another machine, whatever host it names', async () => {
    const { app, lines } = await server
    const from = (peer: string) => app.fetch(new Request('http://localhost:8080/token', howTo), { peer: () => peer })
    for (const peer of ['127.0.0.1', '[::1]']) assert.equal((await from(peer)).status, 200)
    for (const peer of ['192.0.2.1', '[2001:db8::1]']) {
      assert.equal((await from(peer)).status, 503)
      assert.equal(JSON.parse(lines.at(-1) ?? '').reason, 'host_not_loopback')
    }
  })

  for (const name of [
    ...['Forwarded', 'Via', 'X-Real-IP', 'CF-Connecting-IP'],
    ...['For', 'Host', 'Port', 'Proto', 'Server'].map((part) => `X-Forwarded-${part}`),
  ]) {
    test(`answers nothing that a proxy forwarded: ${name}`, async () => {
      const { app, lines } = await server
      const headers = { [name]: '192.0.2.1' }
      assert.equal((await app.request('http://localhost/token', { ...howTo, headers })).status, 503)
      assert.equal(JSON.parse(lines.at(-1) ?? '').reason, 'host_not_loopback')
    })
  }

  test('on Workers, sees its peer in CF-Connecting-IP', async () => {
    const { app } = await server
    for (const peer of ['127.0.0.1', '::1']) {
      const headers = { 'CF-Connecting-IP': peer }
      assert.equal((await app.request('http://localhost/token', { ...howTo, headers })).status, 200)
    }
  })

  test('other clients come from the store', async () => {
    const body = new URLSearchParams('grant_type=client_credentials&client_id=other&client_secret=foobar')
    const response = await (await server).app.request('http://localhost/token', { method: 'POST', body })
    assert.equal(response.status, 401)
  })
})

test('what a change is decided on is read as the latest, in development too', async () => {
  const { registry, ledger, close } = memoryStores(() => NOW)
  // A location that has not seen a write yet.
  const get = async (key: string, options?: ReadOptions) => (options?.latest ? registry.get(key) : undefined)
  const openStores = async (): Promise<Stores> => ({ registry: { ...registry, get }, ledger, close })
  const { app } = await start({ DEV: 'true', REGISTRATION_TOKEN: 'o'.repeat(32) }, { openStores })
  const send = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${'o'.repeat(32)}`, 'Content-Type': 'application/json' }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    return (await app.request(`http://localhost:8080${path}`, init)).status
  }
  for (const path of ['/register/other', `/resources/${encodeURIComponent('https://rs.example')}`]) {
    assert.equal(await send('PUT', path, {}), 201)
    assert.equal(await send('PUT', path, {}), 200)
    assert.equal(await send('GET', path), 200)
    assert.equal(await send('DELETE', path), 204)
    assert.equal(await send('GET', path), 404)
  }
})

describe('createServer without what it needs', () => {
  const keys = '{"keys":[{"kty":"oct","d":"hush","k":"hush"}]}'
  const ISSUER = 'https://tokens.example'
  const cases: readonly [
    name: string,
    environment: Record<string, unknown>,
    settings: string[],
    parts?: Partial<Host>,
  ][] = [
    ['no settings', {}, ['ISSUER', 'SIGNING_KEYS']],
    ['no keys', { ISSUER }, ['SIGNING_KEYS']],
    ['a bad JWK', { ISSUER, SIGNING_KEYS: keys }, ['SIGNING_KEYS']],
    ['an http issuer on a public host', { ISSUER: 'http://tokens.example', SIGNING_KEYS: keys }, ['ISSUER']],
    ['a negative lifetime', { DEV: 'true', ACCESS_TOKEN_LIFETIME: '-1' }, ['ACCESS_TOKEN_LIFETIME']],
    [
      'a store that cannot be opened',
      { DEV: 'true' },
      ['STORE_URL'],
      {
        openStores: () => Promise.reject(new Error('read-only disk')),
      },
    ],
  ]
  for (const [name, environment, settings, parts] of cases) {
    test(`${name}: 503, and the console names ${settings.join(' and ')} with its command`, async () => {
      const { app, config, warnings, lines } = await start(environment, parts)
      assert.equal(config, undefined)
      assert.equal(warnings.length, settings.length)
      for (const [index, setting] of settings.entries()) {
        assert.match(warnings[index] ?? '', new RegExp(`^edgemint: ${setting} .*set ${setting}$`))
      }
      assert.ok(!warnings.join().includes('hush'))
      for (const path of ['/token', '/.well-known/jwks.json', '/']) {
        const response = await app.request(`http://localhost:8080${path}`, path === '/token' ? howTo : {})
        assert.equal(response.status, 503)
        assert.equal(response.headers.get('Retry-After'), '5')
        assert.equal(response.headers.get('Content-Type'), 'application/json;charset=UTF-8')
        assert.equal(((await response.json()) as { error: string }).error, 'temporarily_unavailable')
        assert.equal(JSON.parse(lines.at(-1) ?? '').reason, 'not_configured')
      }
    })
  }
})

describe('the console', () => {
  test('never shows the password of a store, whatever its error quotes', async () => {
    const url = 'redis://user:S3cret@Pass@redis.example:6379'
    const openStores = () => Promise.reject(new TypeError(`Invalid URL: '${url}'; tried redis://S3cret@[::1]`))
    const { warnings } = await start({ DEV: 'true' }, { openStores })
    assert.ok(warnings[0]?.includes("Invalid URL: 'redis://…@redis.example:6379'; tried redis://…@[::1]"), warnings[0])
  })

  test('never shows a signing key that cannot be read', async () => {
    for (const SIGNING_KEYS of [
      'hush',
      '{"keys":[hush]}',
      '{"keys":[{"kty":"EC","crv":"P-256","x":"hush","y":"hush","d":"hush"}]}',
      '{"keys":[{"kty":"hush"}]}',
      '{"kty":"RSA","n":"hush","e":"AQAB","d":"hush"}',
      '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----',
    ]) {
      const { config, warnings } = await start({ ISSUER: 'https://tokens.example', SIGNING_KEYS })
      assert.equal(config, undefined)
      assert.match(warnings[0] ?? '', /^edgemint: SIGNING_KEYS /)
      assert.ok(!warnings.join().includes('hush'), warnings.join())
    }
  })
})

describe('createServer in production', () => {
  test('knows no test-client', async () => {
    const { generateKeyPair, exportPKCS8 } = await import('jose')
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const environment = { ISSUER: 'https://tokens.example', SIGNING_KEYS: await exportPKCS8(privateKey) }
    const { app, config, warnings } = await start(environment)
    assert.deepEqual(warnings, [])
    assert.equal(config?.dev, false)
    assert.equal((await app.request('http://localhost:8080/token', howTo)).status, 401)
    const missing = await app.request('https://tokens.example/nothing')
    assert.equal(missing.status, 404)
    assert.equal(missing.headers.get('Cache-Control'), 'no-store')
    assert.equal(((await missing.json()) as { error: string }).error, 'not_found')
  })
})
