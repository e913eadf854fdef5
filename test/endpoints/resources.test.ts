import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW, type WorldOptions } from '../support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'

async function createManaged(features: WorldOptions = {}) {
  const operatorTokenHash = await hashToken(OPERATOR)
  const { app, events, registry } = await createWorld({ operatorTokenHash, cacheSeconds: 0, ...features })
  const send = async (method: string, path = '', body?: object, headers = {}) => {
    const authorized = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json', ...headers }
    const init = { method, headers: authorized, ...(body && { body: JSON.stringify(body) }) }
    const response = await app.request(`${ISSUER}/resources${path}`, init)
    const text = await response.text()
    const event = events.at(-1)
    return {
      status: response.status,
      answer: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      reason: event?.event === 'request_refused' ? event.reason : undefined,
      etag: response.headers.get('ETag') ?? '',
    }
  }
  const audienceOf = async (more = {}) => {
    const form = { grant_type: 'client_credentials', client_id: 'test-client', client_secret: 'foobar', ...more }
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body: new URLSearchParams(form) })
    const { access_token, error } = (await response.json()) as Record<string, string>
    return access_token === undefined ? error : decodeJwt(access_token).aud
  }
  return { send, audienceOf, events, registry }
}

const one = `/${encodeURIComponent('https://rs.example')}`
const two = `/${encodeURIComponent('https://rs2.example/v1')}`

describe('/resources', () => {
  test('creates, reads, lists, replaces and deletes a resource server', async () => {
    const { send, audienceOf, events } = await createManaged()
    const path = `/${encodeURIComponent('https://new.example/api?v=1')}`
    const made = await send('PUT', path, { scope: 'read', access_token_lifetime: 60, signing_alg: 'RS256' })
    const record = {
      resource: 'https://new.example/api?v=1',
      scope: 'read',
      access_token_lifetime: 60,
      signing_alg: 'RS256',
    }
    assert.deepEqual([made.status, made.answer], [201, { ...record, default: false }])
    assert.deepEqual(events.at(-1), { event: 'resource_changed', change: 'created', resource: record.resource })
    assert.deepEqual((await send('GET', path)).answer, made.answer)
    const { answer } = await send('GET')
    assert.ok((answer['resources'] as { resource: string }[]).some(({ resource }) => resource === record.resource))
    assert.equal((await send('PUT', path, {})).status, 200)
    assert.deepEqual((await send('GET', path)).answer, { resource: record.resource, default: false })
    assert.equal((await send('DELETE', path)).status, 204)
    assert.deepEqual([(await send('GET', path)).status, (await send('DELETE', path)).reason], [404, 'record_unknown'])
    assert.equal(await audienceOf({ resource: 'https://rs.example' }), 'https://rs.example')
    await send('DELETE', one)
    assert.equal(await audienceOf({ resource: 'https://rs.example' }), 'invalid_target')
  })

  test('the default, of which there is one, is the audience of requests without a resource from clients that may ask for it', async () => {
    const { send, audienceOf } = await createManaged()
    assert.equal(await audienceOf(), ISSUER)
    assert.equal((await send('PUT', one, { default: true })).answer['default'], true)
    assert.equal(await audienceOf(), 'https://rs.example')
    assert.equal(await audienceOf({ client_id: 'a' }), ISSUER)
    await send('PUT', two, { default: true })
    assert.equal(await audienceOf(), 'https://rs2.example/v1')
    assert.deepEqual(
      [(await send('GET', one)).answer['default'], (await send('GET', two)).answer['default']],
      [false, true],
    )
    await send('PUT', one, {})
    assert.equal(await audienceOf(), 'https://rs2.example/v1')
    await send('DELETE', two)
    assert.equal(await audienceOf(), ISSUER)
  })

  test('refuses malformed records', async () => {
    const { send } = await createManaged()
    for (const [path, body] of [
      ['/api', {}],
      [`/${encodeURIComponent('https://rs.example#x')}`, {}],
      [`/${encodeURIComponent('https://rs.example/a/../b')}`, {}],
      [`/${encodeURIComponent('https://rs.example/%2e%2e/b')}`, {}],
      [one, { scope: 7 }],
      [one, { scope: 'a"b' }],
      [one, { access_token_lifetime: 0 }],
      [one, { signing_alg: 'ES384' }],
      [one, { signing_alg: 'none' }],
      [one, { default: 'yes' }],
    ] as const) {
      const { status, answer, reason } = await send('PUT', path, body)
      assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'resource_record_malformed'])
    }
  })

  test('accepts a body of 48 KiB and no more', async () => {
    const { send } = await createManaged()
    const sized = (octets: number) => ({ x: 'x'.repeat(octets - '{"x":""}'.length) })
    assert.equal((await send('PUT', one, sized(48 * 1024))).status, 200)
    const { status, reason } = await send('PUT', one, sized(48 * 1024 + 1))
    assert.deepEqual([status, reason], [413, 'body_too_large'])
  })

  test('If-Match', async () => {
    const { send } = await createManaged()
    const { etag } = await send('GET', one)
    assert.equal((await send('PUT', one, { scope: 'a' }, { 'If-Match': etag })).status, 200)
    assert.equal((await send('PUT', one, { scope: 'b' }, { 'If-Match': etag })).status, 412)
    assert.equal((await send('DELETE', one, undefined, { 'If-Match': etag })).status, 412)
  })

  test('If-Match of a record that changes during the request', async () => {
    const { registry } = memoryStores(() => NOW)
    const key = 'resource:https://rs.example'
    let overtakes = false
    const get = async (wanted: string) => {
      const held = await registry.get(wanted)
      if (overtakes && wanted === key)
        await registry.put(key, '{"schema":1,"resource":"https://rs.example","scope":"b"}')
      return held
    }
    const { send } = await createManaged({ registry: { ...registry, get } })
    const { etag } = await send('PUT', one, { scope: 'a' })
    overtakes = true
    assert.equal((await send('PUT', one, { scope: 'c' }, { 'If-Match': etag })).status, 412)
    assert.equal((await send('GET', one)).answer['scope'], 'b')
  })

  test('a deleted default is not the default when it is created again', async () => {
    const { send, registry } = await createManaged()
    await send('PUT', one, { default: true })
    assert.equal((await send('DELETE', one)).status, 204)
    assert.equal(await registry.get('resource-role:default'), undefined)
  })
})

describe('without an operator token', () => {
  test('there is neither /register nor /resources', async () => {
    const { app } = await createWorld()
    for (const path of ['/register', '/register/a', '/resources', '/resources/a']) {
      assert.equal((await app.request(ISSUER + path)).status, 404)
    }
  })
})
