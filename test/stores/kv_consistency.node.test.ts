/** Changes on Workers with KV as documented: reads and misses may be a minute old at each location, and writes may fail. */

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { clientKey } from '../../src/clients/registry.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { KV_CACHE_SECONDS, startKv } from '../support/kv_model.ts'
import { bundleWorker, serveWorker } from '../support/workerd.ts'

const ISSUER = 'https://tokens.example'
const OPERATOR = 'o'.repeat(32)
const settings = {
  ISSUER,
  SIGNING_KEYS: JSON.stringify({ keys: [await generateKey('ES256')] }),
  REGISTRATION_TOKEN: OPERATOR,
  CACHE_SECONDS: '0',
}
const folder = bundleWorker()
const kv = await startKv()
/** The operator sends requests to the first location, the client to the second. */
let deployed = await serveWorker(folder, settings, kv.port, ['a', 'b'])
after(async () => {
  await deployed.stop()
  kv.close()
})

type Json = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly body: Json
  readonly etag: string
}

async function send(
  location: 'a' | 'b',
  method: string,
  path: string,
  { token = OPERATOR, body, headers }: { token?: string; body?: Json; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${deployed.origins[location === 'a' ? 0 : 1]}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text && JSON.parse(text), etag: response.headers.get('ETag') ?? '' }
}

const hasGrant = { grant_types: ['client_credentials'] }

/** Creates a client that every location has read. */
async function createClient(metadata: Json = {}) {
  const { body } = await send('a', 'POST', '/register', { body: { ...hasGrant, scope: 'admin read', ...metadata } })
  const [id, secret, token] = ['client_id', 'client_secret', 'registration_access_token'].map((name) => `${body[name]}`)
  const grant = async (location: 'a' | 'b', scope: string): Promise<number> => {
    const form = { grant_type: 'client_credentials', client_id: id ?? '', client_secret: secret ?? '', scope }
    const origin = deployed.origins[location === 'a' ? 0 : 1]
    return (await fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form) })).status
  }
  for (const location of ['a', 'b'] as const) assert.equal(await grant(location, 'admin'), 200)
  return { path: `/register/${id}`, key: clientKey(id ?? ''), token: token ?? '', grant }
}

/** Waits for the effect of a write to KV or of an alarm of the Durable Object. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, `not seen in 30 s: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a client that changes its record at another location, 20 seconds after the operator', () => {
  const itself = { client_name: 'still here' }

  test('stays disabled', async () => {
    const { path, token, grant } = await createClient()
    const disabled = { ...hasGrant, scope: 'admin read', disabled: true }
    assert.equal((await send('a', 'PUT', path, { body: disabled })).status, 200)
    kv.now += 20
    for (const [method, suffix, body] of [
      ['PUT', '', itself],
      ['POST', '/secrets', {}],
      ['POST', '/registration_access_token', {}],
    ] as const) {
      assert.equal((await send('b', method, path + suffix, { token, body })).status, 401)
    }
    kv.now += KV_CACHE_SECONDS
    for (const location of ['a', 'b'] as const) assert.equal(await grant(location, 'read'), 401)
    assert.equal((await send('a', 'GET', path)).body['disabled'], true)
  })

  test('keeps its reduced scope', async () => {
    const { path, token, grant } = await createClient()
    assert.equal((await send('a', 'PUT', path, { body: { ...hasGrant, scope: 'read' } })).status, 200)
    kv.now += 20
    const changed = await send('b', 'PUT', path, { token, body: itself })
    assert.deepEqual([changed.status, changed.body['scope']], [200, 'read'])
    assert.equal((await send('b', 'PUT', path, { token, body: { ...itself, scope: 'admin read' } })).status, 400)
    kv.now += KV_CACHE_SECONDS
    for (const location of ['a', 'b'] as const) {
      assert.deepEqual([await grant(location, 'admin'), await grant(location, 'read')], [400, 200])
    }
  })

  test('stays deleted, and its registration access token is invalid', async () => {
    const { path, key, token, grant } = await createClient()
    assert.equal((await send('a', 'DELETE', path)).status, 204)
    kv.now += 20
    const answers = [
      await send('b', 'PUT', path, { token, body: itself }),
      await send('b', 'GET', path, { token }),
      await send('b', 'DELETE', path, { token }),
    ]
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body['error']]),
      answers.map(() => [401, 'invalid_token']),
    )
    kv.now += KV_CACHE_SECONDS
    for (const location of ['a', 'b'] as const) assert.equal(await grant(location, 'read'), 401)
    assert.equal((await send('b', 'GET', path)).status, 404)
    assert.equal(kv.values.has(key), false)
  })
})

test('a new secret is accepted at once at every location, although KV is a minute old there and the record was just read', async () => {
  const { path, key, token } = await createClient()
  const { body } = await send('a', 'POST', `${path}/secrets`, { token, body: {} })
  const form = { grant_type: 'client_credentials', client_id: key.slice('client:'.length), scope: 'read' }
  for (const index of [0, 1]) {
    const asked = new URLSearchParams({ ...form, client_secret: `${body['client_secret']}` })
    const response = await fetch(`${deployed.origins[index]}/token`, { method: 'POST', body: asked })
    assert.equal(response.status, 200, await response.text())
  }
})

test('exactly one of 20 concurrent changes of one version at two locations succeeds', async () => {
  const { path, token, key } = await createClient()
  const { etag } = await send('b', 'GET', path, { token })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      send(index % 2 === 0 ? 'a' : 'b', 'PUT', path, {
        token,
        body: { client_name: `${index}` },
        headers: { 'If-Match': etag },
      }),
    ),
  )
  const made = answers.flatMap(({ status }, index) => (status === 200 ? [`${index}`] : []))
  assert.equal(made.length, 1)
  assert.equal(answers.filter(({ status }) => status === 412).length, 19)
  assert.equal(JSON.parse(kv.values.get(key) ?? '').client_name, made[0])
})

test('a record that an earlier deployment wrote to KV is changed and deleted like others', async () => {
  const key = clientKey('earlier')
  kv.values.set(key, JSON.stringify({ schema: 1, client_id: 'earlier', scope: 'read' }))
  const { status, body, etag } = await send('a', 'GET', '/register/earlier')
  assert.deepEqual([status, body['scope']], [200, 'read'])
  const headers = { 'If-Match': etag }
  assert.equal((await send('b', 'PUT', '/register/earlier', { body: { scope: 'write' }, headers })).status, 200)
  assert.equal(JSON.parse(kv.values.get(key) ?? '').scope, 'write')
  assert.equal((await send('a', 'DELETE', '/register/earlier', { headers })).status, 412)
  assert.equal((await send('a', 'DELETE', '/register/earlier')).status, 204)
  assert.equal(kv.values.has(key), false)
})

describe('a write that KV refuses', () => {
  test('is retried, because KV refuses a second write within a second', async () => {
    const { path, key, token } = await createClient()
    kv.next.push('refuse')
    assert.equal((await send('b', 'PUT', path, { token, body: { client_name: 'second' } })).status, 200)
    assert.equal(JSON.parse(kv.values.get(key) ?? '').client_name, 'second')
  })

  test('ends with 503, is stored, and reaches KV as soon as KV accepts it', async () => {
    const { path, key, token, grant } = await createClient()
    kv.usual = 'refuse'
    const { status, body } = await send('a', 'DELETE', path)
    assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable'])
    assert.equal(kv.values.has(key), true)
    assert.equal((await send('a', 'GET', path)).status, 404)
    assert.equal((await send('b', 'PUT', path, { token, body: {} })).status, 401)
    kv.usual = 'write'
    await until(() => !kv.values.has(key))
    kv.now += KV_CACHE_SECONDS
    assert.equal(await grant('b', 'read'), 401)
  })

  test('reaches KV in order, with the latest value last', async () => {
    const { path, key, token } = await createClient()
    kv.next.push('hold')
    const name = async (client_name: string) => (await send('b', 'PUT', path, { token, body: { client_name } })).status
    const before = kv.writes.length
    const first = name('first')
    await until(() => kv.writes.length === before + 1)
    const others = [name('second'), name('second')]
    while ((await send('a', 'GET', path)).body['client_name'] !== 'second');
    assert.equal(kv.writes.length, before + 1)
    kv.release()
    assert.deepEqual(await Promise.all([first, ...others]), [200, 200, 200])
    assert.equal(JSON.parse(kv.values.get(key) ?? '').client_name, 'second')
  })

  test('reaches KV even if the object ended before', async () => {
    const { path, key, token } = await createClient()
    const before = kv.writes.length
    kv.usual = 'hold'
    const disabled = send('a', 'PUT', path, { body: { ...hasGrant, disabled: true } }).catch(() => undefined)
    await until(() => kv.writes.length > before)
    await deployed.stop()
    await disabled
    kv.usual = 'write'
    assert.equal(JSON.parse(kv.values.get(key) ?? '').disabled, undefined)
    deployed = await serveWorker(folder, settings, kv.port, ['a', 'b'])
    await until(() => JSON.parse(kv.values.get(key) ?? '').disabled === true)
    assert.equal((await send('b', 'PUT', path, { token, body: {} })).status, 401)
  })
})
