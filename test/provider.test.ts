import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { clientSecretBasic } from '../src/authentication/client_secret_basic.ts'
import { clientSecretPost } from '../src/authentication/client_secret_post.ts'
import { mtls } from '../src/confirmations/mtls.ts'
import { authorizeEndpoint } from '../src/endpoints/authorize.ts'
import { jwksEndpoint } from '../src/endpoints/jwks.ts'
import { openapiEndpoint } from '../src/endpoints/openapi.ts'
import { clientCredentials } from '../src/grants/client_credentials.ts'
import { createProvider } from '../src/provider.ts'
import { hashToken } from '../src/secrets/hashes.ts'
import { secretVerifier } from '../src/secrets/verifier.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { createWorld, ISSUER, NOW, type WorldOptions } from './support/world.ts'

const howTo = new URLSearchParams({
  grant_type: 'client_credentials',
  client_id: 'test-client',
  client_secret: 'foobar',
})
const post = (body: BodyInit): RequestInit => ({ method: 'POST', body })

describe('createProvider', () => {
  test('refuses two features of one name, and none', async () => {
    await assert.rejects(
      createWorld({ grants: [clientCredentials(), clientCredentials()] }),
      /grants contains a name twice/,
    )
    await assert.rejects(
      createWorld({ clientAuth: [clientSecretBasic(), clientSecretBasic()] }),
      /methods contains a name twice/,
    )
    await assert.rejects(createWorld({ confirmations: [mtls(), mtls()] }), /confirmations contains a name twice/)
    await assert.rejects(createWorld({ grants: [] }), /grants is empty/)
    await assert.rejects(createWorld({ clientAuth: [] }), /methods is empty/)
    const listed = { issuer: ISSUER, endpoints: [authorizeEndpoint(), authorizeEndpoint()] }
    assert.throws(() => createProvider(listed), { name: 'TypeError', message: /endpoints contains a name twice/ })
    assert.throws(() => createProvider({ issuer: ISSUER, endpoints: [] }), /endpoints is empty/)
  })

  const denial = {
    revocation_endpoint: '/revoke',
    introspection_endpoint: '/introspect',
    revocations_uri: '/revocations',
  }
  const management = { registration_endpoint: '/register' }
  const { ledger } = memoryStores(() => NOW)
  /** Asserts that each URL of the metadata is answered, and returns their paths by member. */
  const namedWith = async (more: WorldOptions): Promise<Record<string, string>> => {
    const { app } = await createWorld(more)
    const document = (await (await app.request('/.well-known/oauth-authorization-server')).json()) as object
    const named = Object.entries(document).filter(([member]) => /_(endpoint|uri)$/.test(member))
    for (const [, url] of named) assert.notEqual((await app.request(url)).status, 404, url)
    assert.equal((await app.request('/resources')).status, more.operatorTokenHash === undefined ? 404 : 401)
    return Object.fromEntries(named.map(([member, url]) => [member, url.replace(ISSUER, '')]))
  }
  for (const [name, more, added] of [
    ['a ledger', { ledger }, denial],
    ['an operator', { operatorTokenHash: 'x' }, management],
    ['both', { ledger, operatorTokenHash: 'x' }, { ...denial, ...management }],
  ] as const) {
    test(`with ${name}, the metadata adds these endpoints, and each is there`, async () => {
      const always = await namedWith({})
      for (const member of Object.keys(added)) assert.ok(!(member in always), member)
      assert.deepEqual(await namedWith(more), { ...always, ...added })
    })
  }

  test('takes no path of an app that it is mounted in, and names its own', async () => {
    const issuer = `${ISSUER}/auth`
    const endpoints = [authorizeEndpoint(), jwksEndpoint((await createWorld()).keyring), openapiEndpoint()]
    const host = new Hono()
    for (const path of ['/authorize', '/openapi.json', '/register']) host.get(path, (c) => c.text(`the host's ${path}`))
    host.route('/', createProvider({ issuer, endpoints }))
    host.notFound((c) => c.text('not found by the host', 404))
    for (const path of ['/authorize', '/openapi.json', '/register']) {
      assert.equal(await (await host.request(path)).text(), `the host's ${path}`)
      assert.equal((await host.request(path, { method: 'DELETE' })).status, 404)
    }
    assert.equal(await (await host.request('/.well-known/jwks.json')).text(), 'not found by the host')
    for (const path of ['/.well-known/oauth-authorization-server/auth', '/auth/.well-known/openid-configuration']) {
      const document = (await (await host.request(path)).json()) as Record<string, string>
      assert.deepEqual([document['issuer'], document['jwks_uri']], [issuer, `${issuer}/.well-known/jwks.json`])
    }
    assert.equal((await host.request('/auth/.well-known/jwks.json')).status, 200)
    assert.equal((await host.request('/auth/authorize')).status, 400)
    const { servers } = (await (await host.request('/auth/openapi.json')).json()) as { servers: unknown }
    assert.deepEqual(servers, [{ url: issuer }])
  })

  test('serves what is mounted only', async () => {
    const { app, events } = await createWorld({ clientAuth: [clientSecretBasic()] })
    const response = await app.request('/token', post(howTo))
    assert.equal(response.status, 401)
    const [event] = events
    assert.ok(event?.event === 'request_refused' && event.reason === 'auth_method_mismatch')
  })

  test('compares nothing for a client that is not there', async () => {
    let compared = 0
    const verify = secretVerifier({ onCompare: () => compared++ })
    const { app } = await createWorld({ clientAuth: [clientSecretPost(verify)] })
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'foobar' })
    assert.equal((await app.request('/token', post(body))).status, 401)
    assert.equal(compared, 0)
    assert.equal((await app.request('/token', post(howTo))).status, 200)
    assert.equal(compared, 1)
  })

  test('can be mounted in another app, errors and all', async () => {
    const { app } = await createWorld()
    const outer = new Hono().route('/auth', app)
    assert.equal((await outer.request('/auth/token', post(howTo))).status, 200)
    const refused = await outer.request('/auth/token')
    assert.equal(refused.status, 405)
    assert.equal(((await refused.json()) as { error: string }).error, 'invalid_request')
  })

  test('takes the issuer from the request where that is asked for', async () => {
    const { app } = await createWorld({ issuer: (url) => new URL(url).origin })
    const response = await app.request('http://localhost:1234/token', post(howTo))
    const { access_token } = (await response.json()) as { access_token: string }
    assert.equal(JSON.parse(atob(access_token.split('.')[1] ?? '')).iss, 'http://localhost:1234')
  })

  test('gives every token an id of its own', async () => {
    const { app, events } = await createWorld()
    await Promise.all(Array.from({ length: 5 }, () => app.request('/token', post(howTo))))
    const ids = events.map((event) => (event.event === 'token_issued' ? event.jti : ''))
    assert.equal(new Set(ids).size, 5)
  })

  test('tells the audit what it issued', async () => {
    const { app, events } = await createWorld()
    await app.request('/token', post(howTo))
    const [issued] = events
    assert.ok(issued?.event === 'token_issued')
    const { jti, ...event } = issued
    assert.match(jti, /^[\da-f-]{36}$/)
    assert.deepEqual(event, {
      event: 'token_issued',
      client_id: 'test-client',
      grant_type: 'client_credentials',
      scope: '',
      aud: [],
      exp: NOW + 1800,
    })
  })

  test('a store that fails is not the fault of the client', async () => {
    const get = () => Promise.reject(new Error('KV is on fire'))
    const { app, events } = await createWorld({
      registry: { get, put: get, delete: get, replace: get, remove: get, list: get },
    })
    const response = await app.request('/token', post(howTo))
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('Retry-After'), '5')
    assert.equal(response.headers.get('Cache-Control'), 'no-store')
    const text = await response.text()
    assert.equal(JSON.parse(text).error, 'temporarily_unavailable')
    assert.ok(!text.includes('fire'))
    assert.deepEqual(events, [
      {
        event: 'request_refused',
        path: '/token',
        code: 'temporarily_unavailable',
        reason: 'store_failed',
        client_id: 'test-client',
        cause: 'Error: KV is on fire',
      },
    ])
  })

  test('a client that was read once outlives a failure of the store, and the audit knows', async () => {
    let [now, fails] = [NOW, false]
    const { registry } = await createWorld()
    const get = async (key: string) => (fails ? Promise.reject(new Error('down')) : registry.get(key))
    const { app, events } = await createWorld({ registry: { ...registry, get }, now: () => now })
    assert.equal((await app.request('/token', post(howTo))).status, 200)
    fails = true
    now = NOW + 30
    assert.equal((await app.request('/token', post(howTo))).status, 200)
    assert.equal(events[1]?.event, 'record_served_stale')
    now = NOW + 330
    assert.equal((await app.request('/token', post(howTo))).status, 503)
  })

  test('a defect is a server_error that shows nothing', async () => {
    const now = () => {
      throw new Error('at secret.ts:1')
    }
    const { app, events } = await createWorld({ now })
    const response = await app.request('/token', post(howTo))
    assert.equal(response.status, 500)
    const text = await response.text()
    assert.equal(JSON.parse(text).error, 'server_error')
    assert.ok(!text.includes('secret.ts'))
    const [event] = events
    assert.ok(event?.event === 'request_refused' && event.reason === 'internal')
    assert.match(event.cause ?? '', /^Error\b.*\d/)
    assert.ok(!event.cause?.includes('secret.ts'))
  })

  test('refuses a body over 64 KiB that does not tell its length', async () => {
    const { app } = await createWorld()
    const chunk = new TextEncoder().encode('a'.repeat(1024))
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.length
        controller.enqueue(chunk)
      },
    })
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const response = await app.fetch(new Request(`${ISSUER}/token`, init))
    assert.equal(response.status, 413)
    assert.ok(sent < 128 * 1024)
  })

  test('publishes the keys that verify its tokens', async () => {
    const { app, keyring } = await createWorld()
    const response = await app.request('/.well-known/jwks.json')
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('Content-Type'), 'application/jwk-set+json')
    assert.match(response.headers.get('Cache-Control') ?? '', /^public, max-age=\d+$/)
    assert.deepEqual(await response.json(), keyring.at(NOW).published)
  })
})

describe('where the endpoints are', () => {
  const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
  const issuers: readonly [issuer: string, path: string][] = [
    [ISSUER, ''],
    [`${ISSUER}/`, ''],
    [`${ISSUER}/tenant`, '/tenant'],
    [`${ISSUER}/tenant/`, '/tenant'],
    [`${ISSUER}/a/b`, '/a/b'],
  ]
  for (const [issuer, path] of issuers) {
    test(`the issuer ${issuer}: below it and at the root, and the documents at every place where clients look`, async () => {
      const { app } = await createWorld({ issuer })
      for (const base of new Set(['', path])) {
        const response = await app.request(`${ISSUER}${base}/token`, post(howTo))
        const { access_token } = (await response.json()) as { access_token: string }
        assert.equal(decodeJwt(access_token).iss, issuer)
        assert.equal((await app.request(`${ISSUER}${base}/.well-known/jwks.json`)).status, 200)
        const openapi = await app.request(`${ISSUER}${base}/openapi.json`)
        assert.deepEqual(((await openapi.json()) as { servers: unknown }).servers, [{ url: issuer }])
        assert.equal(openapi.headers.get('Access-Control-Allow-Origin'), '*')
        assert.ok(openapi.headers.get('ETag'))
      }
      const places = METADATA.flatMap((each) => [each, each + path, path + each])
      for (const place of places) {
        const response = await app.request(ISSUER + place)
        const document = (await response.json()) as Record<string, string>
        assert.equal(document['issuer'], issuer)
        assert.equal(document['token_endpoint'], `${ISSUER}${path}/token`)
        assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*')
        assert.ok(response.headers.get('ETag'))
      }
    })
  }

  test('answers 404 at every other path', async () => {
    const { app } = await createWorld({ issuer: `${ISSUER}/tenant` })
    const nowhere = ['/other/token', '/tenant/tenant/token', '/Token', '/token/', '/tenantx/token']
    for (const place of nowhere) assert.equal((await app.request(ISSUER + place, post(howTo))).status, 404, place)
    for (const home of ['/', '/tenant']) assert.equal((await app.request(ISSUER + home, post(howTo))).status, 405, home)
    for (const each of METADATA) assert.equal((await app.request(`${ISSUER}${each}/other`)).status, 404)
  })

  const posted = ['/token', '/revoke', '/introspect', '/register']
  const ledgers = ['/revoke', '/introspect', '/revocations']
  const operators = ['/register', '/register/{client_id}', '/resources', '/resources/{resource}']
  const features: readonly [name: string, hasLedger: boolean, hasOperator: boolean][] = [
    ['neither ledger nor operator', false, false],
    ['a ledger', true, false],
    ['an operator', false, true],
    ['both', true, true],
  ]
  for (const [name, hasLedger, hasOperator] of features) {
    test(`with ${name}: what is mounted answers, and stands in openapi.json`, async () => {
      const { app } = await createWorld({
        ...(hasLedger && { ledger: memoryStores(() => NOW).ledger }),
        ...(hasOperator && { operatorTokenHash: await hashToken('operator') }),
      })
      const { paths } = (await (await app.request('/openapi.json')).json()) as { paths: Record<string, object> }
      const expected: readonly [paths: readonly string[], isMounted: boolean][] = [
        [['/token', '/.well-known/jwks.json'], true],
        [ledgers, hasLedger],
        [operators, hasOperator],
      ]
      for (const [each, isMounted] of expected) {
        for (const path of each) {
          const method = posted.includes(path) ? 'POST' : 'GET'
          assert.equal(path in paths, isMounted, path)
          const { status } = await app.request(path.replace(/\{\w+\}/, 'a'), { method })
          assert.equal(status !== 404, isMounted, path)
        }
      }
      const cut = await app.request('/revocations', post('{}'))
      const refusal = hasOperator ? 401 : 405
      assert.equal(cut.status, hasLedger ? refusal : 404)
    })
  }

  test('a client learns where it can change its registration, below the issuer', async () => {
    for (const [issuer, uri] of [
      [ISSUER, `${ISSUER}/register/`],
      [`${ISSUER}/tenant/`, `${ISSUER}/tenant/register/`],
    ] as const) {
      const { app } = await createWorld({ issuer, operatorTokenHash: await hashToken('operator') })
      const headers = { Authorization: 'Bearer operator', 'Content-Type': 'application/json' }
      const body = JSON.stringify({ grant_types: ['client_credentials'] })
      const response = await app.request('/register', { method: 'POST', headers, body })
      assert.equal(response.status, 201)
      const { client_id, registration_client_uri } = (await response.json()) as Record<string, string>
      assert.equal(registration_client_uri, `${uri}${client_id}`)
    }
  })
})
