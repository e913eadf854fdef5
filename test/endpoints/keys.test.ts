import assert from 'node:assert/strict'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { readKeyEncryptionKeys } from '../../src/keys/key_encryption.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { readKeyring } from '../../src/keys/keyring.ts'
import { storedKeyring } from '../../src/keys/stored_keyring.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { createPreset } from '../../src/preset.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret, hashToken } from '../../src/secrets/hashes.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { memoryStores } from '../../src/stores/memory.ts'

const ISSUER = 'https://tokens.example'
const NOW = 1_800_000_000
const TOKEN = 'operator-token-operator-token-operator'
const KEKS = `a:${encodeBase64url(new Uint8Array(32).fill(1))}`

async function createServer() {
  const state = { now: NOW }
  const events: ServerEvent[] = []
  const stores = memoryStores(() => state.now)
  const secret = generateSecret()
  const client_secrets = [{ id: '1', hash: await hashSecret(secret) }]
  const client = { client_id: 'c', client_secrets, grant_types: ['client_credentials'], introspection: true }
  await stores.registry.put(clientKey('c'), clientRecord(client))
  const { keys: fixed } = await readKeyring(JSON.stringify({ keys: [await generateKey('EdDSA')] }))
  const emit = (event: ServerEvent) => void events.push(event)
  const open = (withFixed: boolean) =>
    storedKeyring({
      issuer: ISSUER,
      registry: guardStores(stores).registry,
      keyEncryptionKeys: () => readKeyEncryptionKeys(KEKS),
      fixed: withFixed ? fixed : [],
      emit,
    })
  const operatorTokenHash = await hashToken(TOKEN)
  const host = { now: () => state.now }
  const serve = (withFixed = false) =>
    createPreset(
      { ...stores, issuer: ISSUER, keyring: open(withFixed), operatorTokenHash, emit, tokenReuseSeconds: 60 },
      host,
    )
  const send = async (app: ReturnType<typeof serve>, method: string, path: string, body?: object, token = TOKEN) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const response = await app.request(`${ISSUER}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const post = async (app: ReturnType<typeof serve>, path: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: 'c', client_secret: secret, ...form })
    return (await app.request(`${ISSUER}${path}`, { method: 'POST', body })).json()
  }
  const issue = async (app: ReturnType<typeof serve>): Promise<string> =>
    (await post(app, '/token', { grant_type: 'client_credentials' })).access_token
  return { state, events, serve, send, post, issue, fixed }
}

const kidOf = (jwt: string): string => JSON.parse(atob(jwt.split('.')[0] ?? '')).kid

describe('/keys', () => {
  test('is for the operator only', async () => {
    const { serve, send } = await createServer()
    for (const [method, path] of [
      ['GET', '/keys'],
      ['POST', '/keys'],
      ['POST', '/keys/rewrap'],
      ['DELETE', '/keys/x'],
    ] as const)
      assert.equal((await send(serve(), method, path, method === 'POST' ? {} : undefined, 'x'.repeat(40))).status, 401)
  })

  test('lists the keys without private halves', async () => {
    const { serve, send } = await createServer()
    const { status, body } = await send(serve(true), 'GET', '/keys')
    assert.equal(status, 200)
    assert.equal(body.issuer, ISSUER)
    const rows = body.keys.map(({ kid: _kid, ...rest }: { kid: string }) => rest)
    assert.deepEqual(rows, [
      { alg: 'ES256', state: 'announced', source: 'stored', signs_from: NOW + 86_400, created_at: NOW, kek: 'a' },
      { alg: 'EdDSA', state: 'signing', source: 'static', signs_from: 0 },
    ])
  })

  test('rotates now, unless verifiers may not know the key', async () => {
    const { serve, send, state, events, issue } = await createServer()
    const app = serve()
    const before = kidOf(await issue(app))
    const early = await send(app, 'POST', '/keys', {})
    assert.deepEqual([early.status, early.body.error], [409, 'conflict'])
    state.now += 360
    const { status, body } = await send(app, 'POST', '/keys', { alg: 'ES256' })
    assert.equal(status, 200)
    assert.deepEqual(
      body.keys.map(({ state: each }: { state: string }) => each),
      ['retired', 'signing', 'announced'],
    )
    assert.notEqual(kidOf(await issue(app)), before)
    const forced = await send(app, 'POST', '/keys', { force: true })
    assert.equal(forced.status, 200)
    assert.ok(events.some((event) => event.event === 'key_changed' && event.change === 'advanced'))
  })

  test('refuses a malformed rotation', async () => {
    const { serve, send, events } = await createServer()
    for (const body of [{ force: 'yes' }, { alg: 'HS256' }, { other: 1 }])
      assert.equal((await send(serve(), 'POST', '/keys', body)).status, 400)
    const reasons = events.flatMap((event) => (event.event === 'request_refused' ? [event.reason] : []))
    assert.deepEqual(
      reasons,
      Array.from({ length: 3 }, () => 'key_rotation_malformed'),
    )
  })

  test('revokes a key: its tokens are denied, here and elsewhere, and are not reused', async () => {
    const { serve, send, post, issue, state } = await createServer()
    const [here, elsewhere] = [serve(), serve()]
    const [token, reused] = [await issue(here), await issue(here)]
    assert.equal(token, reused)
    await issue(elsewhere)
    const kid = kidOf(token)
    assert.equal((await post(elsewhere, '/introspect', { token })).active, true)
    assert.equal((await send(here, 'DELETE', `/keys/${kid}`)).status, 204)
    assert.equal((await post(here, '/introspect', { token })).active, false)
    assert.equal((await post(elsewhere, '/introspect', { token })).active, false, 'by the ledger')
    assert.notEqual(kidOf(await issue(here)), kid)
    const jwks = async (app: typeof here) => (await app.request(`${ISSUER}/.well-known/jwks.json`)).json()
    assert.ok(!JSON.stringify(await jwks(here)).includes(kid))
    state.now += 6
    assert.ok(!JSON.stringify(await jwks(elsewhere)).includes(kid), 'the published keys are read again')
    const list = await (await here.request(`${ISSUER}/revocations`)).text()
    const { payload } = await jwtVerify(list, createLocalJWKSet(await jwks(here)), {
      currentDate: new Date(state.now * 1000),
    })
    assert.deepEqual(payload['kids'], [kid])
    assert.equal((await send(here, 'DELETE', `/keys/${kid}`)).status, 404)
  })

  test('cannot revoke a key of SIGNING_KEYS, whose tokens stay good', async () => {
    const { serve, send, post, issue, fixed } = await createServer()
    const app = serve(true)
    const token = await issue(app)
    const { status, body } = await send(app, 'DELETE', `/keys/${fixed[0]?.kid}`)
    assert.deepEqual([status, body.error], [409, 'conflict'])
    assert.equal((await post(app, '/introspect', { token })).active, true)
  })

  test('encrypts the keys again', async () => {
    const { serve, send } = await createServer()
    const app = serve()
    await send(app, 'GET', '/keys')
    assert.deepEqual((await send(app, 'POST', '/keys/rewrap', {})).body, { rewrapped: 0, undecryptable: 0 })
  })

  test('is in the OpenAPI document, and overdue keys are in the verbose report of readiness', async () => {
    const { serve, send, state, issue } = await createServer()
    const app = serve()
    await issue(app)
    const { paths } = (await send(app, 'GET', '/openapi.json')).body
    for (const path of ['/keys', '/keys/rewrap', '/keys/{kid}']) assert.ok(paths[path], path)
    state.now += 61 * 86_400
    const response = await app.request(`${ISSUER}/readyz?verbose`)
    assert.equal(response.status, 200)
    assert.match(await response.text(), /\[!\]key_rotation overdue: ES256\n/)
  })
})
