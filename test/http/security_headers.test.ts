import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import { refuseHost } from '../../src/runtime/host_header.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { createServer } from '../../src/start.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const operatorTokenHash = await hashToken('x'.repeat(32))
const everything = {
  ledger: memoryStores(() => NOW).ledger,
  operatorTokenHash,
  securityContacts: ['mailto:security@tokens.example'],
}
const world = createWorld(everything)

/** The paths of the documents that pages of any origin may read. */
const PUBLIC = [
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/security.txt',
  '/openapi.json',
  '/revocations',
]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']
const NAMES = ['X-Content-Type-Options', 'Referrer-Policy', 'X-Frame-Options', 'Cross-Origin-Resource-Policy']

function requireHeaders({ status, headers }: Response, name: string, origins = 'same-origin'): void {
  const given = NAMES.map((header) => headers.get(header))
  assert.deepEqual(given, ['nosniff', 'no-referrer', 'DENY', origins], `${name} ${status}`)
}

describe('the security headers', () => {
  test('are on every answer of every path and method, whether it succeeds or refuses', async () => {
    const { app } = await world
    const paths = [...new Set(app.routes.map(({ path }) => path))].filter((path) => !path.includes('*'))
    assert.ok(paths.length > 20)
    const statuses = new Set<number>()
    for (const path of paths) {
      for (const method of METHODS) {
        for (const Authorization of ['', `Bearer ${'x'.repeat(32)}`]) {
          const headers = { Accept: 'text/html', ...(Authorization && { Authorization }) }
          const response = await app.request(ISSUER + path.replaceAll(/:\w+/g, 'a'), { method, headers })
          const isPublic = PUBLIC.includes(path) && response.status === 200
          requireHeaders(response, `${method} ${path}`, isPublic ? 'cross-origin' : 'same-origin')
          statuses.add(response.status)
        }
      }
    }
    assert.deepEqual([...statuses].sort(), [200, 204, 400, 401, 404, 405])
  })

  for (const path of PUBLIC) {
    test(`are on 304 and on a preflight of ${path}`, async () => {
      const { app } = await world
      const unchanged = await app.request(ISSUER + path, { headers: { 'If-None-Match': '*' } })
      assert.equal(unchanged.status, 304)
      requireHeaders(unchanged, path, 'cross-origin')
      const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }
      const preflight = await app.request(ISSUER + path, { method: 'OPTIONS', headers })
      assert.equal(preflight.status, 204)
      requireHeaders(preflight, path, 'cross-origin')
    })
  }

  test('are on a defect, a failing store, and a request without a host', async () => {
    const broken = await createWorld({ issuer: () => assert.fail('a defect') })
    const fail = () => Promise.reject(new Error('down'))
    const { app } = await createWorld({ ledger: { ...everything.ledger, get: fail, list: () => assert.fail('down') } })
    const defect = await broken.app.request(`${ISSUER}/`)
    const refused = [defect, await app.request(`${ISSUER}/revocations`), await app.request(`${ISSUER}/readyz`)]
    assert.deepEqual(
      refused.map(({ status }) => status),
      [500, 503, 503],
    )
    for (const response of [...refused, refuseHost()]) requireHeaders(response, response.url)
  })

  for (const [name, environment, path, status] of [
    ['without settings', {}, '/token', 503],
    ['without settings', {}, '/', 503],
    ['without settings', {}, '/livez', 200],
    ['in development', { DEV: 'true' }, '/nothing', 404],
    ['in development', { DEV: 'true' }, '/', 200],
  ] as const) {
    test(`are on ${path} of a server ${name}`, async () => {
      const { app } = await start(environment)
      const response = await app.request(`http://localhost:8080${path}`, { headers: { Accept: 'text/html' } })
      assert.equal(response.status, status)
      requireHeaders(response, path)
    })
  }

  test('are on the answer to another machine in development', async () => {
    const { app } = await start({ DEV: 'true' })
    const response = await app.request('https://tokens.example/')
    assert.equal(response.status, 503)
    requireHeaders(response, 'another machine')
  })

  test('are not on the answers of an app in which the provider is mounted', async () => {
    const host = new Hono()
    host.get('/mine', (c) => c.text('mine'))
    host.route('/', (await world).app)
    host.get('/later', (c) => c.text('mine'))
    for (const [path, method] of [
      ['/mine', 'GET'],
      ['/later', 'GET'],
      ['/mine', 'POST'],
      ['/none', 'GET'],
    ] as const) {
      const { headers } = await host.request(path, { method })
      for (const name of NAMES) assert.equal(headers.get(name), null, path)
    }
    for (const path of ['/token', '/livez', '/register']) requireHeaders(await host.request(path), path)
  })
})

describe('the length of an answer to HEAD', () => {
  // RFC 9110 §8.6: that of GET. Without the field, Bun and Deno send 0.
  test('is that of GET on every path', async () => {
    const { app } = await world
    const paths = [...new Set(app.routes.map(({ path }) => path))].filter((path) => !path.includes('*'))
    for (const path of paths) {
      for (const [Accept, Authorization] of [
        ['text/html', ''],
        ['*/*', `Bearer ${'x'.repeat(32)}`],
      ] as const) {
        const headers = { Accept, ...(Authorization && { Authorization }) }
        const url = ISSUER + path.replaceAll(/:\w+/g, 'a')
        const [get, head] = [await app.request(url, { headers }), await app.request(url, { headers, method: 'HEAD' })]
        if (get.status === 405) continue
        assert.equal(head.status, get.status)
        assert.equal(head.headers.get('Content-Length'), String((await get.arrayBuffer()).byteLength), path)
      }
    }
  })
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
