import assert from 'node:assert/strict'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientCertificates } from '../../src/certificates/client_cert.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { mtls } from '../../src/confirmations/mtls.ts'
import { clientCredentials } from '../../src/grants/client_credentials.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { readKeyring } from '../../src/keys/keyring.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client } from '../../src/types.ts'
import { clientCert, leaf, plain } from '../support/certificates.ts'
import { createRevocable, RS } from '../support/revocable.ts'
import { clients, ISSUER, NOW, type WorldOptions } from '../support/world.ts'

const REUSE_SECONDS = 60
const [testClient] = await clients()
assert.ok(testClient !== undefined)
const base: Client = testClient

/** A world in which tokens are reused, its requests from a trusted proxy. */
async function createReusing(options: WorldOptions = {}) {
  const state = { now: NOW }
  const memory = memoryStores(() => state.now)
  const world = await createRevocable(
    {
      tokenReuseSeconds: REUSE_SECONDS,
      confirmations: [dpop({ ledger: memory.ledger }), mtls()],
      findCertificate: clientCertificates({ trustedProxies: ['10.0.0.5'], emit: () => undefined }),
      ...memory,
      ...options,
    },
    state,
  )
  const register = (client: Client) => world.registry.put(clientKey(client.client_id), clientRecord(client))
  /** Requests a token and returns the status, the jti and the rest. */
  const ask = async (
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
    client = 'test-client',
  ) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...world.as(client), ...form })
    const request = new Request(`${ISSUER}/token`, { method: 'POST', body, headers })
    const response = await world.app.fetch(request, { peer: () => '10.0.0.5' })
    const answer = (await response.json()) as Record<string, unknown>
    const token = String(answer['access_token'])
    const claims = response.status === 200 ? decodeJwt(token) : {}
    return { status: response.status, answer, token, claims, jti: claims.jti, event: world.events.at(-1) }
  }
  return { ...world, state, register, ask }
}

async function prover() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return async (jti: string = crypto.randomUUID()) => ({
    DPoP: await new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(privateKey),
  })
}

describe('token reuse', () => {
  test('returns the same token while it is young, with the lifetime that is left', async () => {
    const { state, ask } = await createReusing()
    const first = await ask({ scope: 'read' })
    assert.equal(first.answer['expires_in'], 1800)
    assert.ok(first.event?.event === 'token_issued' && first.event.reused === undefined)
    state.now += REUSE_SECONDS
    const second = await ask({ scope: 'read' })
    assert.deepEqual([second.token, second.answer['expires_in']], [first.token, 1800 - REUSE_SECONDS])
    assert.ok(second.event?.event === 'token_issued' && second.event.reused === true)
    assert.equal(second.event.jti, first.jti)
    state.now += 1
    const third = await ask({ scope: 'read' })
    assert.notEqual(third.jti, first.jti)
    assert.equal(third.answer['expires_in'], 1800)
  })

  test('is off by default, and for a client that has it off', async () => {
    const without = await createReusing({ tokenReuseSeconds: 0 })
    assert.notEqual((await without.ask()).jti, (await without.ask()).jti)
    const { register, ask } = await createReusing()
    await register({ ...base, client_id: 'never', token_reuse_seconds: 0 })
    assert.notEqual((await ask({}, {}, 'never')).jti, (await ask({}, {}, 'never')).jti)
  })

  test("a client's own setting counts instead of the server's", async () => {
    const { state, register, ask } = await createReusing({ tokenReuseSeconds: 0 })
    await register({ ...base, client_id: 'own', token_reuse_seconds: 200 })
    const { jti } = await ask({}, {}, 'own')
    state.now += 200
    assert.equal((await ask({}, {}, 'own')).jti, jti)
    state.now += 1
    assert.notEqual((await ask({}, {}, 'own')).jti, jti)
  })

  test('ends at a quarter of the lifetime, and at 300 s whatever is stored', async () => {
    const { state, register, ask } = await createReusing({ tokenReuseSeconds: 300 })
    await register({ ...base, client_id: 'endless', token_reuse_seconds: 9999 })
    const [short, endless] = [await ask({}, {}, 'cc-short'), await ask({}, {}, 'endless')]
    state.now += 15
    assert.equal((await ask({}, {}, 'cc-short')).jti, short.jti)
    state.now += 1
    assert.notEqual((await ask({}, {}, 'cc-short')).jti, short.jti)
    state.now += 284
    assert.equal((await ask({}, {}, 'endless')).jti, endless.jti)
    state.now += 1
    assert.notEqual((await ask({}, {}, 'endless')).jti, endless.jti)
  })

  test('a clock that was set back extends nothing', async () => {
    const { state, ask } = await createReusing()
    const { jti } = await ask()
    state.now -= 1
    assert.notEqual((await ask()).jti, jti)
  })

  test('requests at the same time share one signature', async () => {
    const keyring = await readKeyring(JSON.stringify({ keys: [await generateKey('ES256')] }))
    let signatures = 0
    const counting: typeof keyring = {
      ...keyring,
      at: (now) => ({
        ...keyring.at(now),
        signing: (alg) => {
          const key = keyring.at(now).signing(alg)
          return key && counted(key)
        },
      }),
    }
    type Key = NonNullable<ReturnType<ReturnType<typeof keyring.at>['signing']>>
    const known = new Map<string, Key>()
    const counted = (key: Key): Key => {
      const held = known.get(key.kid) ?? { ...key, sign: (input) => key.sign(input).finally(() => signatures++) }
      known.set(key.kid, held)
      return held
    }
    const { ask } = await createReusing({ keyring: counting })
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
    assert.deepEqual([new Set(answers.map(({ jti }) => jti)).size, signatures], [1, 1])
  })

  test('an unchanged record that was read again stays the same record', async () => {
    const { state, ask } = await createReusing({ cacheSeconds: 10 })
    const { jti } = await ask({ resource: RS })
    state.now += 31
    assert.equal((await ask({ resource: RS })).jti, jti)
  })

  test('a request without the right secret gets nothing', async () => {
    const { ask } = await createReusing()
    await ask()
    const { status, event } = await ask({ client_secret: 'wrong' })
    assert.equal(status, 401)
    assert.ok(event?.event === 'request_refused' && event.reason === 'secret_wrong')
  })

  test('tokens of a grant that does not allow it are never reused', async () => {
    const { isReusable: _isReusable, ...fresh } = clientCredentials()
    const { ask } = await createReusing({ grants: [fresh] })
    assert.notEqual((await ask()).jti, (await ask()).jti)
  })
})

describe('a token is never that of another request', () => {
  const resources = { resource: RS }
  const forms: readonly [name: string, one: Record<string, string>, other: Record<string, string>][] = [
    ['of another scope', { scope: 'read' }, { scope: 'read write' }],
    ['without a scope', { scope: 'read' }, {}],
    ['of another resource', resources, { resource: 'urn:example:rs' }],
    ['without a resource', resources, {}],
    ['of a resource that has another lifetime', resources, { resource: 'urn:example:short' }],
  ]
  for (const [name, one, other] of forms) {
    test(name, async () => {
      const { ask } = await createReusing()
      const [first, second] = [await ask(one), await ask(other)]
      assert.notEqual(first.jti, second.jti)
      assert.deepEqual([(await ask(one)).jti, (await ask(other)).jti], [first.jti, second.jti])
    })
  }

  test('the order of scopes makes no difference', async () => {
    const { ask } = await createReusing()
    assert.equal((await ask({ scope: 'read write' })).jti, (await ask({ scope: 'write read' })).jti)
  })

  test('of a resource whose name looks like several', async () => {
    const { app, registry, register, ask } = await createReusing()
    const names = ['urn:a', 'urn:b', 'urn:a,urn:b']
    for (const resource of names) await registry.put(keyOf(RESOURCES, resource), toRecord({ resource }))
    await register({ ...base, client_id: 'named', resources: names })
    for (const resource of names) assert.equal((await ask({ resource }, {}, 'named')).claims.aud, resource)
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'named', client_secret: 'foobar' })
    for (const resource of ['urn:b', 'urn:a']) body.append('resource', resource)
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body })
    const { access_token } = (await response.json()) as { access_token: string }
    assert.deepEqual(decodeJwt(access_token).aud, ['urn:b', 'urn:a'])
  })

  test('of another client with the same record', async () => {
    const { register, ask } = await createReusing()
    await register({ ...base, client_id: 'twin' })
    assert.equal((await ask()).claims.sub, 'test-client')
    assert.equal((await ask({}, {}, 'twin')).claims.sub, 'twin')
  })

  test('of another issuer', async () => {
    const { app, as } = await createReusing({ issuer: (url) => new URL(url).origin })
    for (const host of ['a', 'b']) {
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...as('test-client') })
      const response = await app.request(`https://${host}.example/token`, { method: 'POST', body })
      const { access_token } = (await response.json()) as { access_token: string }
      assert.equal(decodeJwt(access_token).iss, `https://${host}.example`)
    }
  })

  test('bound to another DPoP key, or to none', async () => {
    const { ask } = await createReusing()
    const [a, b] = [await prover(), await prover()]
    const [bearer, ofA, ofB] = [await ask(), await ask({}, await a()), await ask({}, await b())]
    assert.equal(new Set([bearer.jti, ofA.jti, ofB.jti]).size, 3)
    const again = await ask({}, await a())
    assert.deepEqual([again.jti, again.answer['token_type']], [ofA.jti, 'DPoP'])
    assert.equal((await ask()).jti, bearer.jti)
  })

  test('and a DPoP proof that was used before is refused', async () => {
    const { ask } = await createReusing()
    const prove = await prover()
    await ask({}, await prove('once'))
    const { status, event } = await ask({}, await prove('once'))
    assert.equal(status, 400)
    assert.ok(event?.event === 'request_refused' && event.reason === 'dpop_replayed')
  })

  test('bound to another certificate', async () => {
    const { register, ask } = await createReusing()
    await register({ ...base, client_id: 'bound', tls_client_certificate_bound_access_tokens: true })
    const [a, b] = [{ 'Client-Cert': clientCert(leaf) }, { 'Client-Cert': clientCert(plain) }]
    const [ofA, ofB] = [await ask({}, a, 'bound'), await ask({}, b, 'bound')]
    assert.notDeepEqual(ofA.claims['cnf'], ofB.claims['cnf'])
    assert.deepEqual([(await ask({}, a, 'bound')).jti, (await ask({}, b, 'bound')).jti], [ofA.jti, ofB.jti])
  })
})

describe('a token is not reused after a change', () => {
  const changes: readonly [name: string, change: Partial<Client>][] = [
    ['of its claims', { claims: { tenant: 'b' } }],
    ['of its lifetime', { access_token_lifetime: 900 }],
    ['of its scope', { scope: 'read' }],
  ]
  for (const [name, change] of changes) {
    test(`${name} elsewhere, once the record is read again`, async () => {
      const { state, register, ask } = await createReusing({ cacheSeconds: 10 })
      const { jti } = await ask({ scope: 'read' })
      await register({ ...base, ...change })
      state.now += 10
      const { jti: next, claims } = await ask({ scope: 'read' })
      assert.notEqual(next, jti)
      assert.deepEqual(claims['tenant'], change.claims?.['tenant'])
      assert.equal(Number(claims.exp) - Number(claims.iat), change.access_token_lifetime ?? 1800)
    })

    test(`${name} here, at once`, async () => {
      const { operate, ask } = await createReusing()
      const { jti } = await ask({ scope: 'read' })
      const { client_id, client_secrets: _kept, ...members } = { ...base, ...change }
      assert.equal((await operate('PUT', `/register/${client_id}`, members)).status, 200)
      assert.notEqual((await ask({ scope: 'read' })).jti, jti)
    })
  }

  test('of its resource server', async () => {
    const { operate, ask } = await createReusing()
    const { jti } = await ask({ resource: RS })
    assert.equal(
      (await operate('PUT', `/resources/${encodeURIComponent(RS)}`, { access_token_lifetime: 600 })).status,
      200,
    )
    const next = await ask({ resource: RS })
    assert.notEqual(next.jti, jti)
    assert.equal(next.answer['expires_in'], 600)
  })

  test('of the signing key', async () => {
    const [old, young] = [await generateKey('ES256'), await generateKey('ES256')]
    const keys = [{ ...young, signs_from: NOW + 10 }, old]
    const { state, ask } = await createReusing({ keyring: await readKeyring(JSON.stringify({ keys })) })
    const { jti } = await ask()
    state.now += 9
    assert.equal((await ask()).jti, jti)
    state.now += 1
    assert.notEqual((await ask()).jti, jti)
  })

  test('of the client to disabled, or its deletion', async () => {
    const { operate, ask, register } = await createReusing()
    const { client_id, client_secrets: _kept, ...members } = base
    const { jti } = await ask()
    await operate('PUT', `/register/${client_id}`, { ...members, disabled: true })
    assert.equal((await ask()).status, 401)
    await operate('PUT', `/register/${client_id}`, { ...members, disabled: false })
    assert.notEqual((await ask()).jti, jti)
    await operate('DELETE', `/register/${client_id}`)
    assert.equal((await ask()).status, 401)
    await register(base)
    assert.notEqual((await ask()).jti, jti)
  })

  test('of the secret, which has expired', async () => {
    const { state, register, ask } = await createReusing()
    const [secret] = base.client_secrets ?? []
    assert.ok(secret !== undefined)
    await register({ ...base, client_id: 'ends', client_secrets: [{ ...secret, expires_at: NOW + 5 }] })
    assert.equal((await ask({}, {}, 'ends')).status, 200)
    state.now += 5
    assert.equal((await ask({}, {}, 'ends')).status, 401)
  })
})

describe('a token that was revoked is not returned again', () => {
  test('by its client', async () => {
    const { ask, revoke, isActive } = await createReusing()
    const { token } = await ask({ resource: RS })
    const other = await ask({ scope: 'read' })
    await revoke(token)
    const next = await ask({ resource: RS })
    assert.notEqual(next.token, token)
    assert.equal(await isActive(next.token), true)
    assert.equal((await ask({ scope: 'read' })).token, other.token)
  })

  for (const [name, body] of [
    ['its client', { client_id: 'test-client' }],
    ['all clients', {}],
  ] as const) {
    test(`by a cut of ${name}, nor are those that are issued before the cut ends`, async () => {
      const { state, operate, ask, isActive } = await createReusing()
      const { token } = await ask({ resource: RS })
      assert.equal((await operate('POST', '/revocations', body)).status, 200)
      const denied = await ask({ resource: RS })
      assert.notEqual(denied.token, token)
      // Clocks may differ by 30 seconds, so tokens of the next 30 seconds are denied, too.
      state.now += 31
      const next = await ask({ resource: RS })
      assert.notEqual(next.token, denied.token)
      assert.equal(await isActive(next.token), true)
      assert.equal((await ask({ resource: RS })).token, next.token)
    })
  }

  test('by another server, once it is as old as the setting', async () => {
    const [stores, state] = [memoryStores(() => NOW), { now: NOW }]
    const [here, there] = await Promise.all(
      [0, 1].map(() => createRevocable({ ...stores, tokenReuseSeconds: REUSE_SECONDS }, state)),
    )
    assert.ok(here !== undefined && there !== undefined)
    const token = await here.grant()
    await there.revoke(token)
    state.now += REUSE_SECONDS + 1
    const next = await here.grant()
    assert.notEqual(next, token)
    assert.equal(await here.isActive(next), true)
  })
})
