import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { generateKey } from '../../src/keys/key_set.ts'
import { readKeyring } from '../../src/keys/keyring.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW, type WorldOptions } from '../support/world.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

const world = createWorld({ ledger: memoryStores(() => NOW).ledger })
const tokenForm = { clientId: 'test-client', clientSecret: 'foo"bar', scope: 'read' }

async function get(Accept?: string): Promise<Response> {
  const { app } = await world
  return app.request(`${ISSUER}/`, { headers: Accept === undefined ? {} : { Accept } })
}

async function pageOf(options: WorldOptions, url = `${ISSUER}/`) {
  const { app } = await createWorld(options)
  const response = await app.request(url, { headers: { Accept: BROWSER } })
  return { headers: response.headers, page: await response.text() }
}

async function hashOf(page: string, element: string): Promise<string> {
  const [, text = ''] = new RegExp(`<${element}\\b[^>]*>(.*)</${element}>`, 's').exec(page) ?? []
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return `'sha256-${btoa(String.fromCharCode(...digest))}'`
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
      const [kid = ''] = keyring.at(NOW).published.keys.map((key) => key.kid)
      const key = `RS256 <b class="good">signing</b></span> <code>${kid}</code>`
      for (const text of [ISSUER, `curl ${ISSUER}/token`, '/introspect', key]) assert.ok(page.includes(text), text)
      assert.equal(
        app.routes.some(({ path }) => path === '/introspect'),
        true,
      )
    })
  }

  test('in production, allows its own style and nothing else, and has no script and no form', async () => {
    const response = await get(BROWSER)
    const page = await response.text()
    const style = await hashOf(page, 'style')
    assert.equal(
      response.headers.get('Content-Security-Policy'),
      `default-src 'none'; style-src ${style}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    assert.ok(!/<(script|form|input)/.test(page))
    assert.equal(response.headers.get('Strict-Transport-Security'), 'max-age=31536000')
  })

  test('in development, also allows its own script to reach its own origin', async () => {
    const { headers, page } = await pageOf({ tokenForm })
    const [script, style] = [await hashOf(page, 'script'), await hashOf(page, 'style')]
    assert.equal(
      headers.get('Content-Security-Policy'),
      `default-src 'none'; script-src ${script}; connect-src 'self'; style-src ${style}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    assert.ok(page.includes('<input name="client_secret" value="foo&quot;bar"'))
    assert.ok(page.includes(`data-token="${ISSUER}/token" data-jwks="${ISSUER}/.well-known/jwks.json"`))
    // Neither handlers in attributes, which the policy would not allow, nor writing of markup.
    assert.ok(!/\son\w+=|innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(page))
  })

  test('promises TLS for itself only, and only where the issuer has it', async () => {
    const { headers } = await pageOf({ issuer: 'http://localhost:8080' }, 'http://localhost:8080/')
    assert.equal(headers.get('Strict-Transport-Security'), null)
  })

  test('escapes what comes from the request', async () => {
    const issuer = () => `${ISSUER}/"><script>alert(1)</script>`
    const { page } = await pageOf({ issuer })
    assert.ok(!page.includes('<script>') && page.includes('&lt;script&gt;'))
  })

  test('shows what is not ready', async () => {
    const { keyring } = await world
    const silent = { ...keyring, at: (now: number) => ({ ...keyring.at(now), signing: () => undefined }) }
    const { page } = await pageOf({ keyring: silent, ledger: memoryStores(() => NOW).ledger })
    for (const [name, state, word] of [
      ['ready', 'bad', 'no'],
      ['signing key', 'bad', 'failed'],
      ['ledger', 'good', 'ok'],
    ])
      assert.ok(page.includes(`<li>${name} <b class="${state}">${word}</b></li>`), name)
    const { page: good } = await pageOf({})
    assert.ok(good.includes('<li>ready <b class="good">yes</b></li>'))
  })

  test('shows the state of each key', async () => {
    const keys = [
      { ...(await generateKey('ES256', NOW + 3600)), kid: 'next' },
      { ...(await generateKey('ES256', NOW - 60)), kid: 'current' },
      { ...(await generateKey('ES256')), kid: 'previous' },
      { ...(await generateKey('EdDSA')), kid: 'other' },
    ]
    const { page } = await pageOf({ keyring: await readKeyring(JSON.stringify({ keys })) })
    for (const [state, kid] of [
      [`ES256 announced, signs from ${new Date((NOW + 3600) * 1000).toISOString()}`, 'next'],
      ['ES256 <b class="good">signing</b>', 'current'],
      ['ES256 retired', 'previous'],
      ['EdDSA <b class="good">signing</b>', 'other'],
    ])
      assert.ok(page.includes(`<span>${state}</span> <code>${kid}</code>`), kid)
  })

  test('links what everybody may read, and nothing that needs credentials', async () => {
    const { page } = await pageOf({ ledger: memoryStores(() => NOW).ledger, operatorTokenHash: 'x' })
    const links = [...page.matchAll(/<a href="([^"]+)"/g)].map(([, url = '']) => url.replace(ISSUER, ''))
    assert.deepEqual(links.sort(), [
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      '/health',
      '/livez',
      '/openapi.json',
      '/readyz',
      '/revocations',
    ])
  })

  test('is below an issuer with a path, with and without a slash, and not at the root unless asked for', async () => {
    const { app } = await createWorld({ issuer: `${ISSUER}/auth`, isAtRoot: false })
    const answers = []
    for (const path of ['/auth', '/auth/']) {
      const response = await app.request(ISSUER + path, { headers: { Accept: BROWSER } })
      answers.push([response.status, await response.text()])
      assert.equal((await app.request(ISSUER + path, { method: 'POST' })).status, 405)
    }
    assert.deepEqual(answers[0], answers[1])
    assert.ok(answers[0]?.join().startsWith('200,<!doctype html>'))
    for (const path of ['/', '/auth//', '/auth/token/']) assert.equal((await app.request(ISSUER + path)).status, 404)
  })
})
