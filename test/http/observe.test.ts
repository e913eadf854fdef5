import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import type { Connection } from '../../src/certificates/client_cert.ts'
import type { Endpoint } from '../../src/endpoints/endpoint.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { createProvider } from '../../src/provider.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { createServer } from '../../src/start.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
const operatorTokenHash = await hashToken('x'.repeat(32))

async function createNamed(trustedProxies: readonly string[] = []) {
  const events: ServerEvent[] = []
  const { ledger } = memoryStores(() => NOW)
  const emit = (event: ServerEvent) => void events.push(event)
  const { app } = await createWorld({ ledger, operatorTokenHash, trustedProxies, emit })
  return { app, events }
}

const form = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  body,
})
const GOOD = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'

describe('the id of a request', () => {
  for (const [body, status, event] of [
    [GOOD, 200, 'token_issued'],
    [`${GOOD}&scope=admin`, 400, 'request_refused'],
    ['grant_type=other', 400, 'request_refused'],
  ] as const) {
    test(`is the same in the response and in ${event} for ${body}`, async () => {
      const { app, events } = await createNamed()
      const response = await app.request(`${ISSUER}/token`, form(body))
      assert.equal(response.status, status)
      assert.match(response.headers.get('X-Request-Id') ?? '', UUID)
      assert.deepEqual(
        events.map((each) => [each.event, each.request_id]),
        [[event, response.headers.get('X-Request-Id')]],
      )
    })
  }

  test('is taken from no field of the request', async () => {
    const { app } = await createNamed(['10.0.0.1'])
    const headers = { 'X-Request-Id': 'forged', 'Cf-Ray': '0123456789abcdef-TXL', traceparent: '00-1-1-01' }
    const response = await app.request(`${ISSUER}/token`, form(GOOD, headers), { peer: () => '10.0.0.1' })
    assert.match(response.headers.get('X-Request-Id') ?? '', UUID)
  })

  test('is that of the platform, where it makes one', async () => {
    const { app, events } = await createNamed()
    const connection: Connection = { requestId: () => '0123456789abcdef-TXL', callerAddress: () => '192.0.2.7' }
    const { headers } = await app.request(`${ISSUER}/token`, form(GOOD), connection)
    assert.equal(headers.get('X-Request-Id'), '0123456789abcdef-TXL')
    const [{ request_id, address } = {}] = events
    assert.deepEqual([request_id, address], ['0123456789abcdef-TXL', '192.0.2.7'])
  })

  test('is in every response of every path and method, and differs each time', async () => {
    const { app } = await createNamed()
    const ids = new Set<string>()
    let requests = 0
    for (const path of new Set(app.routes.map((route) => route.path))) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        if (path.includes('*')) continue
        for (const Authorization of ['', `Bearer ${'x'.repeat(32)}`]) {
          const headers = { ...(Authorization && { Authorization }), 'If-None-Match': '*' }
          const response = await app.request(ISSUER + path.replaceAll(/:\w+/g, 'a'), { method, headers })
          ids.add(response.headers.get('X-Request-Id') ?? assert.fail(`${method} ${path} ${response.status}`))
          requests++
        }
      }
    }
    assert.ok(requests > 200)
    assert.equal(ids.size, requests)
  })

  test('is in the event of each change that an operator makes', async () => {
    const { app, events } = await createNamed()
    const headers = { Authorization: `Bearer ${'x'.repeat(32)}`, 'Content-Type': 'application/json' }
    const sent = [
      ['POST', '/register', {}],
      ['PUT', '/resources/urn:example:a', {}],
      ['DELETE', '/resources/urn:example:a', undefined],
      ['POST', '/revocations', { client_id: 'a', before: NOW }],
    ] as const
    for (const [method, path, body] of sent) {
      const request = { method, headers, ...(body && { body: JSON.stringify(body) }) }
      const response = await app.request(ISSUER + path, request)
      assert.ok(response.ok, `${method} ${path} ${response.status}`)
      assert.equal(events.at(-1)?.request_id, response.headers.get('X-Request-Id'), path)
    }
    assert.equal(events.length, sent.length)
  })

  for (const [name, environment, path, status] of [
    ['without settings', {}, '/token', 503],
    ['without settings', {}, '/livez', 200],
    ['in development', { DEV: 'true' }, '/nothing', 404],
    ['in development', { DEV: 'true' }, '/', 200],
  ] as const) {
    test(`is in the response of ${path} of a server ${name}`, async () => {
      const { app } = await start(environment)
      const response = await app.request(`http://localhost:8080${path}`)
      assert.equal(response.status, status)
      assert.match(response.headers.get('X-Request-Id') ?? '', UUID)
    })
  }

  test('is in responses whose headers cannot be changed, and not in those of an app around the provider', async () => {
    const redirect: Endpoint = {
      path: '/away',
      routes: () => new Hono<{ Bindings: Connection }>().get('/', () => Response.redirect('https://example.com/', 302)),
    }
    const host = new Hono<{ Bindings: Connection }>()
    host.get('/mine', (c) => c.text('mine'))
    host.route('/', createProvider({ issuer: ISSUER, endpoints: [redirect] }))
    const away = await host.request('/away')
    assert.deepEqual([away.status, away.headers.get('Location')], [302, 'https://example.com/'])
    assert.match(away.headers.get('X-Request-Id') ?? '', UUID)
    for (const path of ['/mine', '/none']) assert.equal((await host.request(path)).headers.get('X-Request-Id'), null)
  })
})

describe('the address in an event', () => {
  for (const [peer, address] of [
    ['10.0.0.1', '192.0.2.7'],
    ['::ffff:10.0.0.1', '192.0.2.7'],
    ['10.0.0.2', '10.0.0.2'],
    ['::ffff:10.0.0.2', '10.0.0.2'],
    [undefined, undefined],
  ] as const) {
    test(`is ${address} for the peer ${peer} and a forwarded address, where 10.0.0.1 is trusted`, async () => {
      const { app, events } = await createNamed(['10.0.0.1'])
      const headers = { 'X-Forwarded-For': '203.0.113.9, 192.0.2.7' }
      await app.request(`${ISSUER}/token`, form(GOOD, headers), { peer: () => peer })
      assert.deepEqual(
        events.map((each) => each.address),
        [address],
      )
    })
  }
})

describe('the audience of a refusal', () => {
  for (const [parameters, aud] of [
    ['&resource=urn:example:rs&scope=admin', ['urn:example:rs']],
    ['&scope=admin', []],
    ['&resource=urn:example:gone', undefined],
  ] as const) {
    test(`is ${aud?.join() ?? 'absent'} for ${parameters}`, async () => {
      const { app, events } = await createNamed()
      await app.request(`${ISSUER}/token`, form(GOOD + parameters))
      const [event] = events
      assert.ok(event?.event === 'request_refused')
      assert.deepEqual(event.aud, aud)
    })
  }
})

function start(environment: Record<string, string>) {
  return createServer({
    environment,
    openStores: async () => memoryStores(() => NOW),
    storeSetting: 'STORE_URL',
    commandFor: (setting) => setting,
    now: () => NOW,
    write: () => undefined,
    warn: () => undefined,
  })
}
