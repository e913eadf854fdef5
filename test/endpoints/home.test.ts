import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

const world = createWorld({ ledger: memoryStores(() => NOW).ledger })

async function get(Accept?: string): Promise<Response> {
  const { app } = await world
  return app.request(`${ISSUER}/`, { headers: Accept === undefined ? {} : { Accept } })
}

describe('GET /', () => {
  for (const accept of [undefined, '*/*', 'application/json', 'application/json, text/html;q=0.9', 'text/plain']) {
    test(`answers links in JSON to Accept: ${accept}`, async () => {
      const response = await get(accept)
      assert.match(response.headers.get('Content-Type') ?? '', /^application\/json/)
      assert.deepEqual([response.headers.get('Vary'), response.headers.get('Cache-Control')], ['Accept', 'no-store'])
      assert.deepEqual(await response.json(), {
        issuer: ISSUER,
        metadata: `${ISSUER}/.well-known/oauth-authorization-server`,
        token_endpoint: `${ISSUER}/token`,
      })
    })
  }

  for (const accept of [BROWSER, 'text/html', 'text/html, application/json;q=0.9']) {
    test(`answers a page to Accept: ${accept}`, async () => {
      const { app, keyring } = await world
      const response = await get(accept)
      assert.match(response.headers.get('Content-Type') ?? '', /^text\/html/)
      const page = await response.text()
      const [kid = ''] = keyring.publishedAt(NOW).keys.map((key) => key.kid)
      for (const text of [ISSUER, `curl ${ISSUER}/token`, '/introspect', `RS256 signing <code>${kid}</code>`])
        assert.ok(page.includes(text), text)
      assert.equal(
        app.routes.some(({ path }) => path === '/introspect'),
        true,
      )
    })
  }

  test('allows its own style and nothing else', async () => {
    const response = await get(BROWSER)
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(await response.text()) ?? []
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)))
    const hash = btoa(String.fromCharCode(...digest))
    assert.equal(
      response.headers.get('Content-Security-Policy'),
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    assert.equal(response.headers.get('X-Content-Type-Options'), 'nosniff')
  })

  test('escapes what comes from the request', async () => {
    const issuer = () => `${ISSUER}/"><script>alert(1)</script>`
    const { app } = await createWorld({ issuer })
    const page = await (await app.request(`${ISSUER}/`, { headers: { Accept: BROWSER } })).text()
    assert.ok(!page.includes('<script>') && page.includes('&lt;script&gt;'))
  })

  test('is below an issuer with a path, and names keys that do not sign yet', async () => {
    const { keyring } = await world
    const silent = { ...keyring, signingAt: () => undefined }
    const { app } = await createWorld({ issuer: `${ISSUER}/auth`, keyring: silent, isAtRoot: false })
    const page = await (await app.request(`${ISSUER}/auth`, { headers: { Accept: BROWSER } })).text()
    assert.ok(page.includes('No key signs yet.') && page.includes('RS256 published'))
    assert.equal((await app.request(`${ISSUER}/`)).status, 404)
  })
})
