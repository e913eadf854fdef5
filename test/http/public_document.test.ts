import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import { publicText, publish } from '../../src/http/public_document.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const securityContacts = ['mailto:security@tokens.example']
const world = createWorld({ ledger: memoryStores(() => NOW).ledger, securityContacts })
const DOCUMENTS: Readonly<Record<string, { readonly type: string; readonly maxAge: number }>> = {
  '/.well-known/jwks.json': { type: 'application/jwk-set+json', maxAge: 300 },
  '/.well-known/oauth-authorization-server': { type: 'application/json', maxAge: 300 },
  '/.well-known/openid-configuration': { type: 'application/json', maxAge: 300 },
  '/.well-known/security.txt': { type: 'text/plain; charset=utf-8', maxAge: 300 },
  '/openapi.json': { type: 'application/json', maxAge: 300 },
  '/revocations': { type: 'application/jwt', maxAge: 30 },
}

for (const [path, { type, maxAge }] of Object.entries(DOCUMENTS)) {
  describe(`GET ${path}`, () => {
    const send = async (headers: Record<string, string> = {}, method = 'GET') =>
      (await world).app.request(ISSUER + path, { method, headers })

    test('may be cached, and read by any origin', async () => {
      const { status, headers } = await send()
      assert.equal(status, 200)
      assert.equal(headers.get('Content-Type'), type)
      assert.equal(headers.get('Cache-Control'), `public, max-age=${maxAge}`)
      assert.equal(headers.get('Access-Control-Allow-Origin'), '*')
      assert.match(headers.get('ETag') ?? '', /^"[^"]+"$/)
    })

    test('HEAD has the headers of GET and no body', async () => {
      const [get, head] = [await send(), await send({}, 'HEAD')]
      assert.equal(head.status, 200)
      for (const name of ['Content-Type', 'Cache-Control', 'ETag', 'Access-Control-Allow-Origin']) {
        assert.equal(head.headers.get(name), get.headers.get(name), name)
      }
      assert.equal(await head.text(), '')
      assert.equal(head.headers.get('Content-Length'), String((await get.arrayBuffer()).byteLength))
    })

    // RFC 9110 §13.1.2: weak comparison, lists, and any.
    test('answers 304 to a caller that has it', async () => {
      const tag = (await send()).headers.get('ETag') ?? ''
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, `"other",W/${tag} , "more"`, '*']) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await send({ 'If-None-Match': known }, method)
          assert.equal(answer.status, 304, known)
          assert.equal(await answer.text(), '')
          assert.equal(answer.headers.get('ETag'), tag)
          assert.equal(answer.headers.get('Cache-Control'), `public, max-age=${maxAge}`)
          assert.equal(answer.headers.get('Access-Control-Allow-Origin'), '*')
        }
      }
      for (const other of ['"other"', tag.slice(1, -1), `"x${tag.slice(1)}`]) {
        assert.equal((await send({ 'If-None-Match': other })).status, 200, other)
      }
    })

    test('a preflight allows GET and HEAD to any origin', async () => {
      const asked = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }
      const { status, headers } = await send({ ...asked, 'Access-Control-Request-Headers': 'if-none-match' }, 'OPTIONS')
      assert.equal(status, 204)
      assert.equal(headers.get('Access-Control-Allow-Origin'), '*')
      assert.equal(headers.get('Access-Control-Allow-Methods'), 'GET,HEAD')
      assert.equal(headers.get('Access-Control-Allow-Headers'), 'if-none-match')
      const { status: plain } = await send({ Origin: 'https://app.example' }, 'OPTIONS')
      assert.equal(plain, 405)
    })
  })
}

describe('publicText', () => {
  test('derives the ETag from the body', async () => {
    const app = new Hono()
    const respond = publicText('text/plain')
    let body = 'a'
    publish(app, '/', () => respond(body))
    const tagOf = async () => (await app.request('/')).headers.get('ETag')
    const [first, again] = [await tagOf(), await tagOf()]
    body = 'b'
    const second = await tagOf()
    body = 'a'
    assert.deepEqual([again, await tagOf()], [first, first])
    assert.notEqual(second, first)
  })

  test('makes no body for the request of a caller that has it, which is answered with 304', async () => {
    const respond = publicText('text/plain')
    const tag = (await respond('a')).headers.get('ETag') ?? ''
    const app = new Hono()
    publish(app, '/', (c) => respond('a', c.req.header('If-None-Match')))
    for (const [sent, status] of [
      [tag, 304],
      [`W/${tag}`, 304],
      [`"other", ${tag}`, 304],
      ['"other"', 200],
      [`"other${tag}other"`, 200],
      ['*', 304],
    ] as const) {
      assert.equal((await respond('a', sent)).body === null, status === 304, sent)
      const response = await app.request('/', { headers: { 'If-None-Match': sent } })
      assert.deepEqual([response.status, await response.text()], [status, status === 304 ? '' : 'a'], sent)
      assert.equal(response.headers.get('ETag'), tag)
    }
    assert.equal((await respond('b', tag)).body === null, false)
  })

  test('hashes an unchanged body once', async () => {
    const { app } = await createWorld()
    const { digest } = crypto.subtle
    let digests = 0
    crypto.subtle.digest = (...given) => {
      digests++
      return digest.apply(crypto.subtle, given)
    }
    try {
      for (let count = 0; count < 3; count++) assert.equal((await app.request(`${ISSUER}/openapi.json`)).status, 200)
    } finally {
      crypto.subtle.digest = digest
    }
    assert.equal(digests, 1)
  })
})
