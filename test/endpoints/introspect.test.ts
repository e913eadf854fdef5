import assert from 'node:assert/strict'
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientSecretPost } from '../../src/clients/client_secret_post.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { hashToken } from '../../src/clients/secret_hashes.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import type { Features } from '../../src/parts.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { clients, createWorld, ISSUER, NOW, resourceServers } from '../support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'
const RS = 'https://rs.example'

async function createRevocable(features: Partial<Features> = {}) {
  const state = { now: NOW }
  const { registry, ledger } = memoryStores(() => state.now)
  const all = await clients()
  const [testClient] = all
  assert.ok(testClient !== undefined)
  const more = [
    { ...testClient, client_id: 'rs', grant_types: [], introspection: true, resources: [RS] },
    { ...testClient, client_id: 'rs2', introspection: true, resources: ['https://rs2.example/v1'] },
    { ...testClient, client_id: 'inspector', scope: 'introspection read', resources: [RS] },
    { ...testClient, client_id: 'no-flag', resources: [RS] },
  ]
  for (const client of [...all, ...more]) await registry.put(clientKey(client.client_id), clientRecord(client))
  for (const each of resourceServers) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
  const operatorTokenHash = await hashToken(OPERATOR)
  const world = await createWorld({
    registry,
    ledger,
    clientAuth: [clientSecretPost()],
    confirmations: [dpop({ ledger })],
    operatorTokenHash,
    now: () => state.now,
    ...features,
  })
  const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await world.app.request(ISSUER + path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
    })
    const text = await response.text()
    const event = world.events.at(-1)
    const reason = event?.event === 'request_refused' ? event.reason : undefined
    const isJson = response.headers.get('Content-Type')?.startsWith('application/json')
    const answer = (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>
    return { status: response.status, headers: response.headers, text, answer, reason }
  }
  const as = (client_id: string) => ({ client_id, client_secret: 'foobar' })
  const grant = async (more: Record<string, string> = { resource: RS }, client_id = 'test-client', headers = {}) => {
    const { answer } = await post('/token', { grant_type: 'client_credentials', ...as(client_id), ...more }, headers)
    return String(answer['access_token'])
  }
  const introspect = (token: string, client_id = 'rs', headers = {}) =>
    post('/introspect', { token, ...as(client_id) }, headers)
  const revoke = (token: string, client_id = 'test-client') => post('/revoke', { token, ...as(client_id) })
  const isActive = async (token: string, client_id = 'rs') => (await introspect(token, client_id)).answer['active']
  const operate = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
    const response = await world.app.request(ISSUER + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, etag: response.headers.get('ETag') }
  }
  return { ...world, state, ledger, post, as, grant, introspect, revoke, isActive, operate }
}

const world = createRevocable()

describe('POST /introspect', () => {
  test('tells a resource server what a token for it says', async () => {
    const { grant, introspect } = await world
    const token = await grant({ resource: RS, scope: 'read write' })
    const { status, headers, answer } = await introspect(token)
    assert.equal(status, 200)
    assert.equal(headers.get('Cache-Control'), 'no-store')
    const { jti } = decodeJwt(token)
    const said = { iss: ISSUER, sub: 'test-client', client_id: 'test-client', aud: RS, scope: 'read write', jti }
    assert.deepEqual(answer, { active: true, ...said, iat: NOW, exp: NOW + 1800, token_type: 'bearer' })
  })

  test('tells a client of its own token; nobody else, however they ask', async () => {
    const { grant, isActive } = await world
    const token = await grant()
    assert.equal(await isActive(token, 'test-client'), true)
    for (const other of ['rs2', 'no-flag', 'a']) assert.equal(await isActive(token, other), false)
    const forNobody = await grant({})
    assert.equal(await isActive(forNobody), false)
    assert.equal(await isActive(forNobody, 'test-client'), true)
  })

  test('inactive tells nothing more, whatever it was', async () => {
    const { grant, introspect, keyring, state } = await createRevocable()
    const token = await grant()
    const { privateKey } = await generateKeyPair('RS256')
    const kid = keyring.signingAt(NOW)?.kid ?? ''
    const forged = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'at+jwt' })
      .sign(privateKey)
    const ours = keyring.signingAt(NOW)
    assert.ok(ours !== undefined)
    const sign = (claims: Record<string, unknown>, typ = 'at+jwt') =>
      new SignJWT({ ...decodeJwt(token), ...claims })
        .setProtectedHeader({ alg: 'RS256', kid, typ })
        .sign(ours.privateKey)
    for (const bad of [
      'x',
      'a.b.c',
      '',
      `${token}A`,
      token.slice(0, -8),
      forged,
      await sign({}, 'revocations+jwt'),
      await sign({}, 'token-introspection+jwt'),
      await sign({ iss: 'https://evil.example' }),
      await sign({ exp: NOW }),
      await sign({ exp: undefined }),
      await sign({ jti: undefined }),
      `${btoa('{"alg":"none","typ":"at+jwt"}').replace(/=+$/, '')}.${token.split('.')[1]}.AAAA`,
      'x'.repeat(20_000),
    ]) {
      const { status, answer } = await introspect(bad)
      if (bad === '') assert.equal(status, 400)
      else assert.deepEqual([status, answer], [200, { active: false }])
    }
    state.now = NOW + 1800
    assert.deepEqual((await introspect(token)).answer, { active: false })
  })

  test('shows what a token is bound to', async () => {
    const { grant, introspect } = await world
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const claims = { htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() }
    const DPoP = await new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(privateKey)
    const { answer } = await introspect(await grant({ resource: RS }, 'test-client', { DPoP }))
    assert.deepEqual([answer['active'], answer['token_type']], [true, 'DPoP'])
    assert.ok('jkt' in (answer['cnf'] as object))
  })

  test('gives the fosite profile a scope as well', async () => {
    const { grant, introspect } = await createRevocable({ accessTokenProfile: 'fosite' })
    const { answer } = await introspect(await grant({ resource: RS, scope: 'read write' }))
    assert.deepEqual([answer['active'], answer['scope']], [true, 'read write'])
  })

  test('answers a signed JWT to who asks for one', async () => {
    const { grant, introspect, keyring } = await world
    const headers = { Accept: 'application/token-introspection+jwt' }
    for (const [token, active] of [
      [await grant(), true],
      ['x', false],
    ] as const) {
      const answer = await introspect(token, 'rs', headers)
      assert.equal(answer.headers.get('Content-Type'), 'application/token-introspection+jwt')
      const { payload } = await jwtVerify(
        answer.text,
        createLocalJWKSet({ keys: [...keyring.publishedAt(NOW).keys] }),
        {
          issuer: ISSUER,
          audience: 'rs',
          typ: 'token-introspection+jwt',
          currentDate: new Date(NOW * 1000),
        },
      )
      assert.equal((payload['token_introspection'] as { active: boolean }).active, active)
    }
  })

  test('takes a bearer token with the scope for it, and no other', async () => {
    const { grant, post, state } = await createRevocable()
    const token = await grant()
    const bearer = (jwt: string) => post('/introspect', { token }, { Authorization: `Bearer ${jwt}` })
    const inspecting = await grant({ scope: 'introspection' }, 'inspector')
    assert.equal((await bearer(inspecting)).answer['active'], true)
    for (const wrong of [
      await grant({ scope: 'read' }, 'inspector'),
      await grant({ scope: 'introspection', resource: RS }, 'inspector'),
      'x',
    ]) {
      const { status, answer, reason } = await bearer(wrong)
      assert.deepEqual([status, answer['error'], reason], [401, 'invalid_token', 'token_wrong'])
    }
    state.now = NOW + 1800
    assert.equal((await bearer(inspecting)).status, 401)
  })

  test('wants a caller who proves who it is, a form, and a token', async () => {
    const { post, as, app } = await world
    assert.equal((await post('/introspect', { token: 'x' })).status, 401)
    assert.equal(
      (await post('/introspect', { token: 'x', client_id: 'rs', client_secret: 'wrong' })).reason,
      'secret_wrong',
    )
    assert.deepEqual((await post('/introspect', as('rs'))).reason, 'token_parameter_missing')
    for (const path of ['/introspect', '/revoke']) {
      assert.equal((await app.request(`${ISSUER}${path}?token=x`)).status, 400)
    }
  })

  test('a caller that asks too often is told to wait, another is not', async () => {
    const { introspect, state } = await createRevocable({ introspectionsPerMinute: 3 })
    for (let index = 0; index < 3; index++) assert.equal((await introspect('x')).status, 200)
    const { status, reason, headers } = await introspect('x')
    assert.deepEqual([status, reason, headers.get('Retry-After')], [429, 'rate_limited', '60'])
    assert.equal((await introspect('x', 'rs2')).status, 200)
    state.now = NOW + 60
    assert.equal((await introspect('x')).status, 200)
  })
})

describe('POST /revoke', () => {
  test('ends a token of the client, at once; twice is 200 as well', async () => {
    const { grant, revoke, isActive, events } = await world
    const [token, other] = [await grant(), await grant()]
    const { status, text } = await revoke(token)
    assert.deepEqual([status, text], [200, ''])
    assert.deepEqual(events.at(-1), { event: 'token_revoked', client_id: 'test-client', jti: decodeJwt(token).jti })
    assert.deepEqual([await isActive(token), await isActive(other)], [false, true])
    assert.equal((await revoke(token)).status, 200)
  })

  test('a foreign, an unknown and an expired token answer alike, and nothing is kept of them', async () => {
    const { grant, revoke, isActive, ledger, state } = await createRevocable()
    const token = await grant()
    for (const [text, client] of [
      [token, 'a'],
      [token, 'rs'],
      ['x', 'test-client'],
      [`${token}A`, 'test-client'],
    ] as const) {
      assert.deepEqual((await revoke(text, client)).status, 200)
    }
    assert.equal(await isActive(token), true)
    state.now = NOW + 1800
    assert.equal((await revoke(token)).status, 200)
    assert.deepEqual(await ledger.list('revoked:', 10), [])
  })

  test('a mark lasts as long as the token could, then it is gone', async () => {
    const { grant, revoke, ledger, state } = await createRevocable()
    await revoke(await grant())
    state.now = NOW + 1800
    assert.equal((await ledger.list('revoked:', 10)).length, 1)
    state.now = NOW + 1861
    assert.equal((await ledger.list('revoked:', 10)).length, 0)
  })

  test('a ledger that fails is 503, never a revocation that was not made', async () => {
    const broken = () => Promise.reject(new Error('down'))
    const { ledger } = memoryStores(() => NOW)
    const { grant, revoke, introspect } = await createRevocable({ ledger: { ...ledger, add: broken, get: broken } })
    const token = await grant()
    for (const { status, reason } of [await revoke(token), await introspect(token)]) {
      assert.deepEqual([status, reason], [503, 'store_failed'])
    }
  })
})

describe('wider cuts', () => {
  test('all tokens of a client, and all, before an instant', async () => {
    const { grant, isActive, operate, state, events } = await createRevocable()
    const [mine, others] = [await grant(), await grant({ resource: RS }, 'no-flag')]
    state.now = NOW + 10
    const later = await grant()
    assert.equal((await operate('POST', '/revocations', { client_id: 'test-client', before: NOW + 9 })).status, 200)
    assert.deepEqual(events.at(-1), { event: 'tokens_cut', before: NOW + 9, client_id: 'test-client' })
    assert.deepEqual([await isActive(mine), await isActive(others), await isActive(later)], [false, true, true])
    assert.equal((await operate('POST', '/revocations', { before: NOW + 5 })).status, 200)
    assert.deepEqual([await isActive(others), await isActive(later)], [false, true])
    await operate('POST', '/revocations', { client_id: 'test-client', before: NOW })
    assert.equal(await isActive(mine), false, 'an earlier cut does not undo a later one')
    await operate('POST', '/revocations', {})
    assert.equal(await isActive(later), false)
  })

  test('a client that is disabled or deleted loses its tokens, also when it comes back', async () => {
    const { grant, isActive, operate, state } = await createRevocable({ cacheSeconds: 0 })
    await operate('PUT', '/register/c', {
      client_secrets: [{ id: '1', hash: (await clients())[0]?.client_secrets?.[0]?.hash }],
      resources: [RS],
    })
    const first = await grant({ resource: RS }, 'c')
    assert.equal(await isActive(first), true)
    await operate('PUT', '/register/c', { disabled: true })
    assert.equal(await isActive(first), false)
    state.now = NOW + 1
    await operate('PUT', '/register/c', { disabled: false, resources: [RS] })
    assert.equal(await isActive(first), false)
    const second = await grant({ resource: RS }, 'c')
    assert.equal(await isActive(second), true)
    await operate('DELETE', '/register/c')
    assert.equal(await isActive(second), false)
  })

  test('of many at once the latest stays', async () => {
    const { ledger, operate, isActive, grant, state } = await createRevocable()
    state.now = NOW + 20
    const token = await grant()
    state.now = NOW + 40
    await Promise.all(
      [30, 5, 20, 10].map((seconds) =>
        operate('POST', '/revocations', { client_id: 'test-client', before: NOW + seconds }),
      ),
    )
    assert.deepEqual(await ledger.list('cut:', 10), [{ key: 'cut:test-client', value: `${NOW + 30}` }])
    assert.equal(await isActive(token), false)
  })

  test('only an operator cuts, and not into the future', async () => {
    const { operate, app, events } = await world
    const headers = { 'Content-Type': 'application/json' }
    assert.equal((await app.request(`${ISSUER}/revocations`, { method: 'POST', headers, body: '{}' })).status, 401)
    for (const body of [{ before: NOW + 1 }, { before: 'now' }, { before: 0 }, { client_id: 7 }]) {
      assert.equal((await operate('POST', '/revocations', body)).status, 400)
      const event = events.at(-1)
      assert.ok(event?.event === 'request_refused' && event.reason === 'cut_malformed')
    }
  })
})

describe('GET /revocations', () => {
  test('is a signed list of what is denied and not yet expired, made anew in half a minute', async () => {
    const { app, grant, revoke, operate, keyring, state } = await createRevocable()
    const list = async () => {
      const response = await app.request(`${ISSUER}/revocations`)
      assert.equal(response.headers.get('Content-Type'), 'application/jwt')
      assert.match(response.headers.get('Cache-Control') ?? '', /^public, max-age=30$/)
      const keys = createLocalJWKSet({ keys: [...keyring.publishedAt(NOW).keys] })
      const options = { issuer: ISSUER, typ: 'revocations+jwt', currentDate: new Date(state.now * 1000) }
      return (await jwtVerify(await response.text(), keys, options)).payload
    }
    assert.deepEqual(await list(), { iss: ISSUER, iat: NOW, exp: NOW + 300, revoked: [], clients: {}, all: 0 })
    const token = await grant()
    await revoke(token)
    await operate('POST', '/revocations', { client_id: 'a', before: NOW })
    await operate('POST', '/revocations', { before: NOW - 5 })
    state.now = NOW + 30
    const { revoked, clients, all } = await list()
    assert.deepEqual([revoked, clients, all], [[decodeJwt(token).jti], { a: NOW }, NOW - 5])
    state.now = NOW + 2000
    assert.deepEqual((await list())['revoked'], [])
  })

  test('of too many is 503, for a list that is not whole would deny too little', async () => {
    const { ledger } = memoryStores(() => NOW)
    const list = async () => Array.from({ length: 100_000 }, (_, index) => ({ key: `revoked:${index}`, value: '' }))
    const { app, events } = await createRevocable({ ledger: { ...ledger, list } })
    assert.equal((await app.request(`${ISSUER}/revocations`)).status, 503)
    const event = events.at(-1)
    assert.ok(event?.event === 'request_refused' && event.reason === 'revocations_too_many')
  })
})

describe('without a ledger', () => {
  test('nothing of this is there, nor in the metadata', async () => {
    const { app } = await createWorld()
    for (const path of ['/introspect', '/revoke', '/revocations']) {
      assert.equal((await app.request(ISSUER + path, { method: 'POST' })).status, 404)
    }
  })

  test('with one, the metadata names it', async () => {
    const { app } = await world
    const document = (await (await app.request(`${ISSUER}/.well-known/oauth-authorization-server`)).json()) as Record<
      string,
      unknown
    >
    assert.equal(document['introspection_endpoint'], `${ISSUER}/introspect`)
    assert.equal(document['revocation_endpoint'], `${ISSUER}/revoke`)
    assert.deepEqual(document['introspection_endpoint_auth_methods_supported'], ['client_secret_post'])
    assert.deepEqual(document['introspection_signing_alg_values_supported'], ['RS256'])
  })
})
