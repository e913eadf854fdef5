import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const operatorTokenHash = await hashToken('x'.repeat(32))
const securityContacts = ['mailto:security@tokens.example']
const world = createWorld({ ledger: memoryStores(() => NOW).ledger, operatorTokenHash, securityContacts })

/** The methods of each path. A path that is missing here fails a test below. */
const METHODS: Readonly<Record<string, string>> = {
  '/token': 'POST',
  '/introspect': 'POST',
  '/revoke': 'POST',
  '/authorize': 'GET, HEAD, POST',
  '/revocations': 'GET, HEAD, POST',
  '/register': 'POST, GET, HEAD',
  '/register/:client_id': 'GET, HEAD, PUT, DELETE',
  '/register/:client_id/secrets': 'POST',
  '/register/:client_id/secrets/:id': 'DELETE',
  '/register/:client_id/registration_access_token': 'POST',
  '/register/:client_id/federated_credentials': 'POST',
  '/register/:client_id/federated_credentials/:id': 'DELETE',
  '/issuers': 'GET, HEAD',
  '/issuers/:issuer': 'GET, HEAD, PUT, DELETE',
  '/resources': 'GET, HEAD',
  '/resources/:resource': 'GET, HEAD, PUT, DELETE',
  '/': 'GET, HEAD',
  '/livez': 'GET, HEAD',
  '/readyz': 'GET, HEAD',
  '/health': 'GET, HEAD',
  '/openapi.json': 'GET, HEAD',
  '/.well-known/jwks.json': 'GET, HEAD',
  '/.well-known/security.txt': 'GET, HEAD',
  '/.well-known/oauth-authorization-server': 'GET, HEAD',
  '/.well-known/openid-configuration': 'GET, HEAD',
}

const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']

describe('a method that an endpoint does not have', () => {
  for (const [path, allowed] of Object.entries(METHODS)) {
    test(`${path} allows ${allowed}`, async () => {
      const { app, events } = await world
      for (const method of ALL) {
        const response = await app.request(ISSUER + path.replaceAll(/:\w+/g, 'a'), { method })
        if (allowed.split(', ').includes(method)) {
          assert.ok(response.status !== 405 && response.status !== 404, `${method} ${response.status}`)
          continue
        }
        assert.equal(response.status, 405, method)
        assert.equal(response.headers.get('Allow'), allowed)
        assert.equal(response.headers.get('Cache-Control'), 'no-store')
        assert.equal(response.headers.get('Content-Type'), 'application/json;charset=UTF-8')
        const event = events.at(-1)
        assert.ok(event?.event === 'request_refused' && event.reason === 'method_not_allowed')
        if (method !== 'HEAD') assert.equal(((await response.json()) as { error: string }).error, 'invalid_request')
      }
    })
  }

  test('the table has every path', async () => {
    const { app } = await world
    const paths = app.routes.map(({ path }) => path).filter((path) => !path.includes('*'))
    assert.deepEqual([...new Set(paths)].sort(), Object.keys(METHODS).sort())
  })

  test('also below an issuer with a path', async () => {
    const { app } = await createWorld({ issuer: `${ISSUER}/tenant` })
    for (const path of ['/tenant/token', '/token']) assert.equal((await app.request(ISSUER + path)).status, 405)
    const place = '/.well-known/openid-configuration'
    for (const path of [`${place}/tenant`, `/tenant${place}`, place]) {
      assert.equal((await app.request(ISSUER + path, { method: 'POST' })).status, 405)
    }
  })

  test('a host app keeps its own paths and its own 404', async () => {
    const { app } = await world
    const host = new Hono()
    host.notFound((c) => c.text('the host', 404))
    host.get('/auth/mine', (c) => c.text('mine'))
    host.route('/auth', app)
    assert.equal((await host.request('/auth/token')).status, 405)
    assert.equal(await (await host.request('/auth/mine')).text(), 'mine')
    for (const [path, method] of [
      ['/auth/mine', 'POST'],
      ['/auth/other', 'GET'],
      ['/token', 'GET'],
      ['/auth/register/a/b/c', 'GET'],
    ] as const) {
      const response = await host.request(path, { method })
      assert.deepEqual([response.status, await response.text()], [404, 'the host'], path)
    }
  })
})
