import assert from 'node:assert/strict'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { createServer } from '../src/start.ts'
import type { Stores } from '../src/stores/contracts.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { Client, Jwk } from '../src/types.ts'
import { clientCert, plain } from './support/certificates.ts'
import { NOW } from './support/world.ts'

const ISSUER = 'https://tokens.example'
const PROXY = '10.0.0.5'
const OPERATOR = 'operator-'.padEnd(40, 'x')

const signing = await generateKeyPair('ES256', { extractable: true })
const SIGNING_KEYS = JSON.stringify({ keys: [{ ...(await exportJWK(signing.privateKey)), kid: 'mine', alg: 'ES256' }] })
const secret = generateSecret()
const member = { grant_types: ['client_credentials'], scope: 'read' }
const keyed = await generateKeyPair('ES256', { extractable: true })
const proving = await generateKeyPair('ES256', { extractable: true })
const registered: readonly Client[] = [
  { ...member, client_id: 'a', client_secrets: [{ id: '1', hash: await hashSecret(secret) }], introspection: true },
  {
    ...member,
    client_id: 'by-key',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [(await exportJWK(keyed.publicKey)) as Jwk] },
  },
  {
    ...member,
    client_id: 'by-ca',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=plain,O=Example',
  },
]

type Form = Readonly<Record<string, string>>

/** A production server with one setting changed. */
async function start(settings: Record<string, string>, stores: Partial<Stores> = {}) {
  const clock = { now: NOW }
  const memory = memoryStores(() => clock.now)
  for (const client of registered) await memory.registry.put(clientKey(client.client_id), clientRecord(client))
  const opened: string[] = []
  const lines: string[] = []
  const { app } = await createServer({
    environment: { ISSUER, SIGNING_KEYS, ...settings },
    fetch: () => Promise.reject(new Error('no network')),
    openStores: async ({ storeUrl }) => {
      opened.push(storeUrl)
      return { ...memory, ...stores }
    },
    storeSetting: 'STORE_URL',
    commandFor: (setting) => `set ${setting}`,
    now: () => clock.now,
    write: (line) => lines.push(line),
    warn: (line) => assert.fail(line),
  })
  const send = async (path: string, form?: Form, headers: Form = {}) => {
    const init = form === undefined ? { headers } : { method: 'POST', body: new URLSearchParams(form), headers }
    const response = await app.fetch(new Request(ISSUER + path, init), { peer: () => PROXY })
    const text = await response.text()
    const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, string>
    return { status: response.status, body }
  }
  const token = (form: Form = {}, headers: Form = {}) =>
    send('/token', { grant_type: 'client_credentials', client_id: 'a', client_secret: secret, ...form }, headers)
  return { send, token, clock, lines, registry: memory.registry, opened }
}

type Server = Awaited<ReturnType<typeof start>>

async function claims({ token }: Server) {
  return decodeJwt((await token()).body['access_token'] ?? '')
}

/** Authenticates by an assertion that lives so long. */
async function byKey({ send }: Server, seconds: number): Promise<number> {
  const client_assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('by-key')
    .setSubject('by-key')
    .setAudience(ISSUER)
    .setExpirationTime(NOW + seconds)
    .sign(keyed.privateKey)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const form = { grant_type: 'client_credentials', client_assertion, client_assertion_type }
  return (await send('/token', form)).status
}

async function byCertificate({ send }: Server): Promise<number> {
  const form = { grant_type: 'client_credentials', client_id: 'by-ca' }
  return (await send('/token', form, { 'Client-Cert': clientCert(plain) })).status
}

async function withProof({ token }: Server): Promise<string | undefined> {
  const DPoP = await new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(proving.publicKey) })
    .sign(proving.privateKey)
  const { body } = await token({}, { DPoP })
  return body['error'] ?? body['token_type']
}

/** The status of a token request that comes later than a change of the client. */
async function afterDisabling({ token, clock, registry }: Server, seconds: number): Promise<number> {
  await token()
  const [client] = registered
  assert.ok(client !== undefined)
  await registry.put(clientKey('a'), clientRecord({ ...client, disabled: true }))
  clock.now += seconds
  return (await token()).status
}

async function introspections({ send }: Server): Promise<number[]> {
  const form = { token: 'x', client_id: 'a', client_secret: secret }
  return [(await send('/introspect', form)).status, (await send('/introspect', form)).status]
}

/** The events of the audit log after a token and a refusal. */
async function audited({ token, lines }: Server): Promise<unknown[]> {
  await token()
  await token({ client_secret: 'wrong' })
  return lines.map((line) => JSON.parse(line).event)
}

const proxied = { TRUSTED_PROXIES: `192.0.2.0/24, ${PROXY}` }

/** What a setting does, as requests show it: with the value, and without. */
const table: readonly [
  setting: string,
  settings: Record<string, string>,
  shows: (server: Server) => Promise<unknown>,
  with_: unknown,
  without: unknown,
  others?: Record<string, string>,
][] = [
  ['ISSUER', { ISSUER: `${ISSUER}/tenant` }, async (s) => (await claims(s)).iss, `${ISSUER}/tenant`, ISSUER],
  ['ACCESS_TOKEN_LIFETIME', { ACCESS_TOKEN_LIFETIME: '60' }, async (s) => (await claims(s)).exp, NOW + 60, NOW + 1800],
  [
    'TOKEN_REUSE_SECONDS',
    { TOKEN_REUSE_SECONDS: '60' },
    async (s) => new Set([(await claims(s)).jti, (await claims(s)).jti]).size,
    1,
    2,
  ],
  ['AUDIT_LOG', { AUDIT_LOG: 'refusals' }, audited, ['request_refused'], ['token_issued', 'request_refused']],
  ['AUDIT_LOG off', { AUDIT_LOG: 'off' }, audited, [], ['token_issued', 'request_refused']],
  [
    'ACCESS_TOKEN_PROFILE',
    { ACCESS_TOKEN_PROFILE: 'fosite' },
    async ({ token }) => decodeProtectedHeader((await token()).body['access_token'] ?? '').typ,
    'JWT',
    'at+jwt',
  ],
  ['CACHE_SECONDS', { CACHE_SECONDS: '7' }, (s) => afterDisabling(s, 8), 401, 200],
  ['CACHE_SECONDS of 0', { CACHE_SECONDS: '0' }, (s) => afterDisabling(s, 0), 401, 200],
  ['CLIENT_ASSERTION_LIFETIME', { CLIENT_ASSERTION_LIFETIME: '100' }, (s) => byKey(s, 600), 401, 200],
  ['INTROSPECTIONS_PER_MINUTE', { INTROSPECTIONS_PER_MINUTE: '1' }, introspections, [200, 429], [200, 200]],
  ['DPOP_NONCE_REQUIRED', { DPOP_NONCE_REQUIRED: 'true' }, withProof, 'use_dpop_nonce', 'DPoP'],
  ['TRUSTED_PROXIES', proxied, byCertificate, 200, 401, { CLIENT_CERT_VERIFIED: 'true' }],
  ['CLIENT_CERT_VERIFIED', { CLIENT_CERT_VERIFIED: 'true' }, byCertificate, 200, 401, proxied],
  [
    'REGISTRATION_TOKEN',
    { REGISTRATION_TOKEN: OPERATOR },
    async ({ send }) => (await send('/register', undefined, { Authorization: `Bearer ${OPERATOR}` })).status,
    200,
    404,
  ],
  [
    'REGISTRATION_TOKEN of another value',
    { REGISTRATION_TOKEN: OPERATOR.replace(/x$/, 'y') },
    async ({ send }) => (await send('/register', undefined, { Authorization: `Bearer ${OPERATOR}` })).status,
    401,
    404,
  ],
  [
    'SECURITY_CONTACT',
    { SECURITY_CONTACT: 'mailto:security@tokens.example' },
    async ({ send }) => (await send('/.well-known/security.txt')).status,
    200,
    404,
  ],
  ['STORE_URL', { STORE_URL: 'memory:' }, async ({ opened }) => opened, ['memory:'], ['sqlite:.edgemint/edgemint.db']],
]

describe('createServer, by its settings', () => {
  for (const [setting, settings, shows, expected, usual, others = {}] of table) {
    test(`${setting} takes effect`, async () => {
      assert.deepEqual(await shows(await start({ ...others, ...settings })), expected)
      assert.deepEqual(await shows(await start(others)), usual)
    })
  }

  test('SIGNING_KEYS signs', async () => {
    const { token, send } = await start({})
    assert.equal(decodeProtectedHeader((await token()).body['access_token'] ?? '').kid, 'mine')
    const { keys } = (await send('/.well-known/jwks.json')).body as unknown as { keys: { kid: string; x: string }[] }
    const { x } = await exportJWK(signing.publicKey)
    assert.deepEqual(
      keys.map((key) => [key.kid, key.x]),
      [['mine', x]],
    )
  })

  test('a registry or a ledger that hangs is answered with 503', async () => {
    const never = () => new Promise<never>(() => undefined)
    const list = async function* () {
      yield await never()
    }
    const registry = { get: never, put: never, delete: never, replace: never, remove: never, list: never }
    const withoutRegistry = await start({}, { registry })
    const withoutLedger = await start({}, { ledger: { add: never, count: never, get: never, raise: never, list } })
    // At the same time, as each waits for the time limit of a store.
    const [{ status, body }, byLedger] = await Promise.all([withoutRegistry.token(), byKey(withoutLedger, 60)])
    assert.deepEqual([status, body['error'], byLedger], [503, 'temporarily_unavailable', 503])
  })

  test('a registry that fails is answered with 503 by every endpoint that reads or writes records', async () => {
    const fail = () => Promise.reject(new Error('down'))
    const failing = { get: fail, put: fail, delete: fail, replace: fail, remove: fail, list: fail }
    const { token, send } = await start({ REGISTRATION_TOKEN: OPERATOR }, { registry: failing })
    const operator = { Authorization: `Bearer ${OPERATOR}` }
    for (const { status, body } of [
      await token(),
      await send('/introspect', { token: 'x', client_id: 'a', client_secret: secret }),
      await send('/register', undefined, operator),
      await send('/register/a', undefined, operator),
      await send('/resources', undefined, operator),
    ]) {
      assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable'])
      assert.equal(body['error_description'], 'The registry cannot be reached.')
    }
    assert.equal((await send('/.well-known/oauth-authorization-server')).status, 200)
  })

  test('a ledger that fails is answered with 503 by every feature that uses it', async () => {
    const fail = () => Promise.reject(new Error('down'))
    const list = async function* () {
      yield await fail()
    }
    const server = await start({}, { ledger: { add: fail, count: fail, get: fail, raise: fail, list } })
    const issued = (await server.token()).body['access_token'] ?? ''
    const form = { token: issued, client_id: 'a', client_secret: secret }
    for (const { status, body } of [await server.send('/revoke', form), await server.send('/revocations')]) {
      assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable'])
      assert.equal(body['error_description'], 'The ledger cannot be reached.')
    }
    assert.equal(await byKey(server, 60), 503)
    assert.equal(await withProof(server), 'temporarily_unavailable')
  })
})
