import assert from 'node:assert/strict'
import { CompactSign, exportJWK, generateKeyPair, type JWK, type JWTPayload } from 'jose'
import { describe, test } from '#test'
import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { Reason } from '../../src/reasons.ts'
import type { Ledger } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { clients, createWorld, guarded, ISSUER, NOW } from '../support/world.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const KEYS_URL = 'https://keys.client.example/jwks'
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

type Pair = { readonly privateKey: CryptoKey; readonly publicJwk: JWK }
const pairs = new Map<string, Pair>()
for (const alg of ALGORITHMS) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  pairs.set(alg, { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid: alg } })
}
const stranger = await generateKeyPair('ES256')
const pairOf = (alg: string): Pair => {
  const pair = pairs.get(alg)
  assert.ok(pair !== undefined)
  return pair
}

const encode = (value: unknown) =>
  btoa(typeof value === 'string' ? value : JSON.stringify(value))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const claimsOf = (client_id: string): JWTPayload => ({
  iss: client_id,
  sub: client_id,
  aud: ISSUER,
  iat: NOW,
  exp: NOW + 60,
  jti: crypto.randomUUID(),
})

interface Making {
  readonly client?: string
  readonly alg?: string
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly key?: CryptoKey
}

/** Signs an assertion; `undefined` removes a member. */
async function sign({ client = 'pkjwt', alg = 'ES256', header = {}, claims = {}, key }: Making = {}): Promise<string> {
  const payload = JSON.stringify({ ...claimsOf(client), ...claims })
  const protectedHeader = JSON.parse(JSON.stringify({ kid: alg, typ: 'JWT', ...header, alg }))
  const signer = new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(protectedHeader)
  return signer.sign(key ?? pairOf(alg).privateKey)
}

/** A world with clients that use this method; `state` sets its clock. */
async function createAssertionWorld({ ledger }: { ledger?: Ledger } = {}) {
  const state = { now: NOW }
  const stores = memoryStores(() => state.now)
  const { registry } = stores
  const keys = [...pairs.values()].map(({ publicJwk }) => publicJwk as Record<string, unknown>)
  const method = { token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'] }
  const [testClient] = await clients()
  assert.ok(testClient !== undefined)
  for (const client of [
    testClient,
    { ...method, client_id: 'pkjwt', jwks: { keys } },
    { ...method, client_id: 'other', jwks: { keys } },
    { ...method, client_id: 'es-only', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys } },
    { ...method, client_id: 'bound', jwks: { keys: [{ ...pairOf('RS256').publicJwk, alg: 'PS256', kid: 'RS256' }] } },
    ...['EdDSA', 'Ed25519'].flatMap((alg) => [
      { ...method, client_id: `key-${alg}`, jwks: { keys: [{ ...pairOf('EdDSA').publicJwk, alg }] } },
      { ...method, client_id: `pinned-${alg}`, token_endpoint_auth_signing_alg: alg, jwks: { keys } },
    ]),
    { ...method, client_id: 'for-enc', jwks: { keys: [{ ...pairOf('ES256').publicJwk, use: 'enc' }] } },
    { ...method, client_id: 'e-one', jwks: { keys: [{ ...pairOf('RS256').publicJwk, e: 'AQ' }] } },
    { ...method, client_id: 'e-one-long', jwks: { keys: [{ ...pairOf('RS256').publicJwk, e: 'AAAAAQ' }] } },
    {
      ...method,
      client_id: 'weak',
      jwks: { keys: [{ kty: 'RSA', kid: 'RS256', e: 'AQAB', n: `${'x'.repeat(170)}w` }] },
    },
    {
      ...method,
      client_id: 'off-curve',
      jwks: { keys: [{ ...pairOf('ES256').publicJwk, x: pairOf('ES256').publicJwk.y }] },
    },
    {
      ...method,
      client_id: 'not-for-verify',
      jwks: { keys: [{ ...pairOf('ES256').publicJwk, key_ops: ['encrypt'] }] },
    },
    { ...method, client_id: 'by-uri', jwks_uri: KEYS_URL },
    { ...method, client_id: 'both', jwks: { keys }, jwks_uri: KEYS_URL },
    ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'magic'].map((other) => ({
      ...method,
      client_id: other,
      token_endpoint_auth_method: other,
      jwks: { keys },
    })),
    { ...method, client_id: 'no-keys' },
    { ...method, client_id: 'public', token_endpoint_auth_method: 'none' },
  ]) {
    await registry.put(clientKey(client.client_id), clientRecord(client))
  }
  const published = { fails: false, fetches: 0, keys: [] as object[] }
  const fetch = async () => {
    published.fetches++
    return published.fails ? Response.error() : Response.json({ keys: published.keys })
  }
  const remote = remoteKeys({ fetch, now: () => state.now })
  const clientAuth = [
    clientSecretBasic(),
    privateKeyJwt({ ledger: ledger ?? stores.ledger, remoteKeys: remote, maxLifetimeSeconds: 3600 }),
  ]
  const world = await createWorld({ registry, clientAuth, now: () => state.now })
  const send = async (client_assertion: string | undefined, more: Record<string, string> = {}, headers = {}) => {
    const form = { grant_type: 'client_credentials', client_assertion_type: TYPE, ...more }
    const body = new URLSearchParams(client_assertion === undefined ? form : { ...form, client_assertion })
    const response = await world.app.request('/token', { method: 'POST', body, headers })
    const event = world.events.at(-1)
    return { status: response.status, reason: event?.event === 'request_refused' ? event.reason : undefined, event }
  }
  return { ...world, state, send, published }
}

const world = createAssertionWorld()

describe('private_key_jwt, accepted', () => {
  const accepted: readonly [name: string, making: Making, more?: Record<string, string>][] = [
    ...ALGORITHMS.map((alg): [string, Making] => [alg, { alg }]),
    ...ALGORITHMS.map((alg): [string, Making] => [`${alg}, no kid`, { alg, header: { kid: undefined } }]),
    ['typ in capitals', { header: { typ: 'Client-Authentication+JWT' } }],
    ['typ client-authentication+jwt', { header: { typ: 'client-authentication+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['aud is the token endpoint', { claims: { aud: `${ISSUER}/token` } }],
    ['aud is a list of one', { claims: { aud: [ISSUER] } }],
    ['exp an hour and the skew ahead', { claims: { exp: NOW + 3630 } }],
    ['exp with a fraction', { claims: { exp: NOW + 60.5 } }],
    ['iat and nbf ahead within the skew', { claims: { iat: NOW + 30, nbf: NOW + 30 } }],
    ['iat and nbf long ago', { claims: { iat: 0, nbf: -1 } }],
    ['expired within the skew', { claims: { exp: NOW - 29 } }],
    ['no iat', { claims: { iat: undefined } }],
    ['client_id in the form as well', {}, { client_id: 'pkjwt' }],
    ['the algorithm that the client is bound to', { client: 'es-only' }],
    // RFC 9864 §2.2: two names for the algorithm of an Ed25519 key.
    ...['key-EdDSA', 'key-Ed25519', 'pinned-EdDSA', 'pinned-Ed25519'].flatMap((client) =>
      ['EdDSA', 'Ed25519'].map((alg): [string, Making] => [
        `${alg} by ${client}`,
        { client, alg, header: { kid: 'EdDSA' }, key: pairOf('EdDSA').privateKey },
      ]),
    ),
    ['unknown claims and header members', { header: { x: 1 }, claims: { x: { a: 1, b: ':' } } }],
  ]
  for (const [name, making, more] of accepted) {
    test(name, async () => {
      const { send } = await world
      assert.deepEqual((await send(await sign(making), more)).status, 200)
    })
  }
})

describe('private_key_jwt, refused with 401 invalid_client', () => {
  const refused: readonly [name: string, making: Making, reason: Reason][] = [
    ['typ of an access token', { header: { typ: 'at+jwt' } }, 'assertion_typ_wrong'],
    ['typ of a DPoP proof', { header: { typ: 'dpop+jwt' } }, 'assertion_typ_wrong'],
    ['typ of a token of this server', { header: { typ: 'token-introspection+jwt' } }, 'assertion_typ_wrong'],
    ['empty typ', { header: { typ: '' } }, 'assertion_typ_wrong'],
    ['typ that is no text', { header: { typ: 1 } }, 'assertion_typ_wrong'],
    ['unknown kid', { header: { kid: 'nope' } }, 'assertion_key_unknown'],
    ['kid that is a path', { header: { kid: '../../etc/passwd' } }, 'assertion_key_unknown'],
    ['kid that is a number', { header: { kid: 1 } }, 'assertion_malformed'],
    ['kid of a key of another type', { header: { kid: 'RS256' } }, 'assertion_key_unknown'],
    ['signed by a stranger', { key: stranger.privateKey }, 'assertion_signature_wrong'],
    [
      'signed by a stranger, key in the header',
      { key: stranger.privateKey, header: { jwk: {}, kid: undefined } },
      'assertion_signature_wrong',
    ],
    ['iss of another client', { claims: { iss: 'other' } }, 'assertion_iss_wrong'],
    ['no iss', { claims: { iss: undefined } }, 'assertion_iss_wrong'],
    ['no sub', { claims: { sub: undefined } }, 'assertion_sub_wrong'],
    ['sub of another client', { claims: { sub: 'other' } }, 'assertion_iss_wrong'],
    ['no aud', { claims: { aud: undefined } }, 'assertion_aud_wrong'],
    ['empty aud', { claims: { aud: '' } }, 'assertion_aud_wrong'],
    ['aud of another server', { claims: { aud: 'https://evil.example' } }, 'assertion_aud_wrong'],
    ['aud with a slash behind', { claims: { aud: `${ISSUER}/` } }, 'assertion_aud_wrong'],
    [
      'two audiences, one of which is right',
      { claims: { aud: [ISSUER, 'https://evil.example'] } },
      'assertion_aud_wrong',
    ],
    ['two audiences, one null', { claims: { aud: [ISSUER, null] } }, 'assertion_aud_wrong'],
    ['empty list of audiences', { claims: { aud: [] } }, 'assertion_aud_wrong'],
    ['no exp', { claims: { exp: undefined } }, 'assertion_exp_missing'],
    ['exp as text', { claims: { exp: `${NOW + 60}` } }, 'assertion_exp_missing'],
    ['exp null', { claims: { exp: null } }, 'assertion_exp_missing'],
    ['expired beyond the skew', { claims: { exp: NOW - 30 } }, 'assertion_expired'],
    ['exp more than an hour ahead', { claims: { exp: NOW + 3630.5 } }, 'assertion_lives_too_long'],
    ['exp in the year 5138', { claims: { exp: 99999999999 } }, 'assertion_lives_too_long'],
    ['nbf ahead', { claims: { nbf: NOW + 30.5 } }, 'assertion_not_yet_valid'],
    ['nbf null', { claims: { nbf: null } }, 'assertion_not_yet_valid'],
    ['iat ahead', { claims: { iat: NOW + 30.5 } }, 'assertion_not_yet_valid'],
    ['nbf as text', { claims: { nbf: '0' } }, 'assertion_not_yet_valid'],
    ['no jti', { claims: { jti: undefined } }, 'assertion_jti_missing'],
    ['jti as a number', { claims: { jti: 7 } }, 'assertion_jti_missing'],
    ['empty jti', { claims: { jti: '' } }, 'assertion_jti_missing'],
    ['an algorithm the client is not bound to', { client: 'es-only', alg: 'RS256' }, 'assertion_alg_not_allowed'],
    ['an algorithm the key is not for', { client: 'bound', alg: 'RS256' }, 'assertion_key_unknown'],
    ['a key for encryption', { client: 'for-enc' }, 'assertion_key_unknown'],
    ['a key with the exponent 1', { client: 'e-one', alg: 'RS256' }, 'assertion_key_unknown'],
    ['a key with the exponent 1, written long', { client: 'e-one-long', alg: 'RS256' }, 'assertion_key_unknown'],
    ['an RSA key of 1024 bits', { client: 'weak', alg: 'RS256' }, 'assertion_key_unknown'],
    ['a point that is not on the curve', { client: 'off-curve' }, 'assertion_signature_wrong'],
    ['a key whose key_ops lack verify', { client: 'not-for-verify' }, 'assertion_key_unknown'],
    ['a client of client_secret_basic', { client: 'client_secret_basic' }, 'auth_method_mismatch'],
    ['a client of client_secret_post', { client: 'client_secret_post' }, 'auth_method_mismatch'],
    ['a client of client_secret_jwt', { client: 'client_secret_jwt' }, 'auth_method_mismatch'],
    ['a client of an unknown method', { client: 'magic' }, 'auth_method_mismatch'],
    ['iat as text', { claims: { iat: `${NOW}` } }, 'assertion_not_yet_valid'],
    ['iat null', { claims: { iat: null } }, 'assertion_not_yet_valid'],
    ['a client without keys', { client: 'no-keys' }, 'keys_missing'],
    ['a public client', { client: 'public' }, 'auth_method_mismatch'],
    ['a client of another method', { client: 'test-client' }, 'auth_method_mismatch'],
    ['an unknown client', { client: 'nobody' }, 'client_unknown'],
  ]
  for (const [name, making, reason] of refused) {
    test(name, async () => {
      const { send } = await world
      const { status, reason: told } = await send(await sign(making))
      assert.deepEqual([status, told], [401, reason])
    })
  }

  const malformed: readonly [name: string, make: () => Promise<string> | string, reason?: Reason][] = [
    ['no JWS at all', () => 'this.notatall.valid'],
    ['one part', () => 'abc'],
    ['only dots', () => '..'],
    ['cut off', async () => (await sign()).slice(0, -90)],
    ['a dot too many', async () => `${await sign()}.`],
    ['a part too many', async () => `${await sign()}.AAAA`],
    ['encrypted, five parts', async () => `${await sign()}.AAAA.AAAA`],
    ['no signature', async () => (await sign()).replace(/[^.]*$/, '')],
    ['padding', async () => `${await sign()}==`],
    ['spaces in base64', async () => (await sign()).replace('.', ' .')],
    ['a line end behind', async () => `${await sign()}\n`],
    ['unused bits set', async () => (await sign()).replace(/.$/, (last) => (last === 'B' ? 'C' : 'B'))],
    ['base64 of the other alphabet', async () => (await sign()).replace(/.$/, '+')],
    ['header null', async () => `${encode('null')}.${encode(claimsOf('pkjwt'))}.AAAA`],
    ['header a list', async () => `${encode('[]')}.${encode(claimsOf('pkjwt'))}.AAAA`],
    ['claims a text', async () => `${encode({ alg: 'ES256' })}.${encode('"pkjwt"')}.AAAA`],
    ['claims that are no JSON', async () => `${encode({ alg: 'ES256' })}.${encode('{sub:1}')}.AAAA`],
    [
      'alg twice in the header',
      async () => `${encode('{"alg":"none","alg":"ES256"}')}.${encode(claimsOf('pkjwt'))}.AAAA`,
    ],
    [
      'sub twice in the claims',
      async () => `${encode({ alg: 'ES256' })}.${encode('{"sub":"pkjwt","s\\u0075b":"other"}')}.AAAA`,
    ],
    ['huge', () => `${encode({ alg: 'ES256', x: 'x'.repeat(20_000) })}.${encode(claimsOf('pkjwt'))}.AAAA`],
    ['alg none', () => `${encode({ alg: 'none' })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    ['alg nOnE', () => `${encode({ alg: 'nOnE' })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    ['alg HS256', () => `${encode({ alg: 'HS256' })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    [
      'alg a list',
      () => `${encode({ alg: ['ES256'] })}.${encode(claimsOf('pkjwt'))}.AAAA`,
      'assertion_alg_not_allowed',
    ],
    [
      'alg an object that is no text',
      () => `${encode('{"alg":{"toString":1}}')}.${encode(claimsOf('pkjwt'))}.AAAA`,
      'assertion_alg_not_allowed',
    ],
    ['alg HS512', () => `${encode({ alg: 'HS512' })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    ['alg ES256K', () => `${encode({ alg: 'ES256K' })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    ['no alg', () => `${encode({})}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_alg_not_allowed'],
    [
      'crit',
      () => `${encode({ alg: 'ES256', crit: ['x'], x: 1 })}.${encode(claimsOf('pkjwt'))}.AAAA`,
      'assertion_crit',
    ],
    ['b64', () => `${encode({ alg: 'ES256', b64: false })}.${encode(claimsOf('pkjwt'))}.AAAA`, 'assertion_crit'],
    ['a signature of zeros', async () => (await sign()).replace(/[^.]*$/, 'A'.repeat(86)), 'assertion_signature_wrong'],
    [
      'other claims under the signature',
      async () => (await sign()).replace(/\.[^.]*\./, `.${encode(claimsOf('pkjwt'))}.`),
      'assertion_signature_wrong',
    ],
  ]
  for (const [name, make, reason = 'assertion_malformed'] of malformed) {
    test(name, async () => {
      const { send } = await world
      const { status, reason: told } = await send(await make())
      assert.deepEqual([status, told], [401, reason])
      const named = await send(await make(), { client_id: 'pkjwt' })
      assert.deepEqual([named.status, named.reason, named.event?.client_id], [401, reason, 'pkjwt'])
    })
  }
})

describe('private_key_jwt, the parameters', () => {
  test('type without assertion, assertion without type, another type', async () => {
    const { send } = await world
    const jws = await sign()
    assert.deepEqual((await send(undefined)).reason, 'assertion_missing')
    assert.deepEqual((await send(jws, { client_assertion_type: '' })).reason, 'assertion_type_unknown')
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
    const { status, reason } = await send(jws, { client_assertion_type: saml })
    assert.deepEqual([status, reason], [400, 'assertion_type_unknown'])
  })

  test('a secret or another client_id next to the assertion', async () => {
    const { send } = await world
    const headers = { Authorization: `Basic ${btoa('test-client:foobar')}` }
    const both = await send(await sign(), {}, headers)
    assert.deepEqual([both.status, both.reason], [400, 'credentials_several'])
    const other = await send(await sign(), { client_id: 'other' })
    assert.deepEqual([other.status, other.reason], [400, 'client_id_mismatch'])
  })

  test('a secret next to an assertion that is no JWT', async () => {
    const { send } = await world
    const headers = { Authorization: `Basic ${btoa('test-client:foobar')}` }
    const client_id = 'test-client'
    for (const { status, reason, event } of [
      await send('x', { client_id }, headers),
      await send('x', { client_id, client_secret: 'foobar' }),
    ]) {
      assert.deepEqual([status, reason, event?.client_id], [401, 'assertion_malformed', client_id])
    }
  })

  test('client_id next to an assertion without sub', async () => {
    const { send } = await world
    const { status, reason, event } = await send(await sign({ claims: { sub: undefined } }), { client_id: 'pkjwt' })
    assert.deepEqual([status, reason, event?.client_id], [401, 'assertion_sub_wrong', 'pkjwt'])
  })

  test('an unknown grant comes first, and does not use up the jti; a wrong scope comes last', async () => {
    const { send } = await world
    const jws = await sign()
    assert.equal((await send(jws, { grant_type: 'magic' })).reason, 'grant_type_unsupported')
    assert.equal(
      (await send(await sign({ key: stranger.privateKey }), { scope: 'no' })).reason,
      'assertion_signature_wrong',
    )
    assert.equal((await send(jws, { scope: 'no' })).reason, 'scope_not_allowed')
  })

  test('only the client_id of a client that must use an assertion', async () => {
    const { send } = await world
    const { status, reason } = await send(undefined, { client_assertion_type: '', client_id: 'pkjwt' })
    assert.deepEqual([status, reason], [401, 'auth_method_mismatch'])
  })
})

describe('private_key_jwt, keys at a jwks_uri', () => {
  const keyOf = (alg: string) => pairOf(alg).publicJwk

  test('are fetched, and fetched again for an unknown kid', async () => {
    const { send, published, state } = await createAssertionWorld()
    published.keys = [keyOf('ES256')]
    assert.equal((await send(await sign({ client: 'by-uri' }))).status, 200)
    published.keys = [keyOf('ES256'), keyOf('EdDSA')]
    assert.equal((await send(await sign({ client: 'by-uri', alg: 'EdDSA' }))).reason, 'assertion_key_unknown')
    state.now = NOW + 30
    assert.equal((await send(await sign({ client: 'by-uri', alg: 'EdDSA' }))).status, 200)
    assert.equal(published.fetches, 2)
  })

  test('are 503 when they cannot be fetched, not the fault of the client', async () => {
    const { send, published } = await createAssertionWorld()
    published.fails = true
    const { status, reason } = await send(await sign({ client: 'by-uri' }))
    assert.deepEqual([status, reason], [503, 'jwks_uri_failed'])
  })

  test('are not fetched when the record has jwks', async () => {
    const { send, published } = await createAssertionWorld()
    assert.equal((await send(await sign({ client: 'both' }))).status, 200)
    assert.equal(published.fetches, 0)
  })
})

describe('private_key_jwt, replay', () => {
  test('no token for a body that arrives after the assertion has expired', async () => {
    const { app, state, send } = await createAssertionWorld()
    const jws = await sign()
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: TYPE,
      client_assertion: jws,
    })
    const octets = new TextEncoder().encode(body.toString())
    const whole = Promise.withResolvers<void>()
    const slow = new ReadableStream({
      async start(controller) {
        controller.enqueue(octets.slice(0, 10))
        await whole.promise
        controller.enqueue(octets.slice(10))
        controller.close()
      },
    })
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': String(octets.length) }
    const held = app.request('/token', { method: 'POST', headers, body: slow, duplex: 'half' } as RequestInit)
    assert.equal((await send(jws)).status, 200)
    state.now = NOW + 91
    whole.resolve()
    assert.equal((await held).status, 401)
  })

  test('a failing ledger is 503', async () => {
    const broken = { ...memoryStores(() => NOW).ledger, add: () => Promise.reject(new Error('down')) }
    const { send } = await createAssertionWorld(guarded({ ledger: broken }))
    const { status, reason } = await send(await sign())
    assert.deepEqual([status, reason], [503, 'store_failed'])
  })

  test('one of 100 concurrent requests is accepted', async () => {
    const { send } = await world
    const jws = await sign()
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(jws)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal((await send(jws)).reason, 'assertion_replayed')
  })

  test('another client may use the same jti', async () => {
    const { send } = await world
    const claims = { jti: crypto.randomUUID() }
    assert.equal((await send(await sign({ claims }))).status, 200)
    assert.equal((await send(await sign({ claims, client: 'other' }))).status, 200)
    assert.equal((await send(await sign({ claims: { ...claims, exp: NOW + 61 } }))).reason, 'assertion_replayed')
  })

  test('a refused assertion does not use up its jti', async () => {
    const { send } = await world
    const claims = { jti: crypto.randomUUID() }
    assert.equal((await send(await sign({ claims: { ...claims, aud: 'https://evil.example' } }))).status, 401)
    assert.equal((await send(await sign({ claims, key: stranger.privateKey }))).status, 401)
    for (const wrong of [{ iss: 'other' }, { exp: NOW - 30 }, { nbf: NOW + 31 }, { exp: NOW + 9999 }]) {
      assert.equal((await send(await sign({ claims: { ...claims, ...wrong } }))).status, 401)
    }
    assert.equal((await send(await sign({ claims }))).status, 200)
  })

  test('its mark is kept until the end of the skew', async () => {
    const { send, state } = await createAssertionWorld()
    const jws = await sign()
    assert.equal((await send(jws)).status, 200)
    state.now = NOW + 89
    assert.equal((await send(jws)).reason, 'assertion_replayed')
    state.now = NOW + 90
    assert.equal((await send(jws)).reason, 'assertion_expired')
  })
})
