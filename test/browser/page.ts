/** The page at `/` in a real browser, outside the gate: `npm run test:browser`. `CHROMIUM` names the browser if it is elsewhere. */

import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { generateKey } from '../../src/keys/key_set.ts'
import { type Launch, type Running, startServer } from '../support/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))

const SERVERS: readonly (readonly [name: string, launchOn: (port: number) => Launch])[] = [
  [
    'node',
    (port) => ({
      command: 'exec node src/index.ts',
      environment: { DEV: 'true', STORE_URL: 'memory:', PORT: `${port}` },
    }),
  ],
  ['wrangler dev', (port) => ({ command: `npx wrangler dev --port ${port} --persist-to ${folder} --var DEV:true` })],
]

const LOOKS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light', viewport: { width: 1200, height: 900 } }],
  ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 900 } }],
  ['a phone', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
]

const VERIFIED = 'Token issued, signature verified'
const UNVERIFIED = 'Token issued, signature not verified by the keys of the server'

let browser: Browser
before(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' })
})
after(() => browser.close())

/** Opens the page, uses it, and returns what the browser reported: console messages, exceptions, violations of the policy. */
async function visit(origin: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>) {
  const context = await browser.newContext(options)
  const reports: string[] = []
  try {
    const page = await context.newPage()
    page.on('console', (message) => reports.push(message.text()))
    page.on('pageerror', ({ message }) => reports.push(message))
    await page.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) => console.log('refused ' + event.violatedDirective))`,
    )
    await page.goto(origin)
    await use(page)
  } finally {
    await context.close()
  }
  return reports
}

/** Waits until the status has this text, and fails with the text that it has instead. */
async function requireStatus(page: Page, text: string): Promise<void> {
  const status = page.getByRole('status')
  await status.filter({ hasText: /issued|:/ }).waitFor()
  assert.equal(await status.textContent(), text)
}

async function requireFitting(page: Page): Promise<void> {
  assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0)
}

async function requireFocusShown(page: Page): Promise<void> {
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outline')
  assert.match(String(outline), /^rgb\(.+\) solid 3px$/)
}

/** Moves the focus with the Tab key to the element with this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate('document.activeElement.name || document.activeElement.textContent')) === name) return
  }
  assert.fail(`Tab does not reach ${name}`)
}

for (const [name, launchOn] of SERVERS) {
  describe(`the page in development, ${name}`, () => {
    let server: Running
    before(async () => {
      server = await startServer(launchOn)
    })
    after(() => server.stop())

    for (const [look, options] of LOOKS) {
      test(`${look}: gets, decodes and verifies a token by keyboard alone, and fits`, async () => {
        const reports = await visit(server.origin, options, async (page) => {
          await requireFitting(page)
          await tabTo(page, 'client_id')
          await requireFocusShown(page)
          await tabTo(page, 'scope')
          await page.keyboard.type('write')
          await page.keyboard.press('Enter')
          await requireStatus(page, VERIFIED)
          await requireFitting(page)
          const shown = async (title: string) => (await page.getByRole('group', { name: title }).textContent()) ?? ''
          const keys = createRemoteJWKSet(new URL(`${server.origin}/.well-known/jwks.json`))
          const { payload, protectedHeader } = await jwtVerify(await shown('Access token'), keys)
          assert.deepEqual(JSON.parse(await shown('Header')), protectedHeader)
          assert.deepEqual(JSON.parse(await shown('Claims')), payload)
          assert.deepEqual([payload['client_id'], payload['scope']], ['test-client', 'write'])
          await tabTo(page, 'Get a token')
          await requireFocusShown(page)
        })
        assert.deepEqual(reports, [])
      })
    }

    test('shows the refusal of a wrong secret, and hides the token before', async () => {
      const reports = await visit(server.origin, {}, async (page) => {
        await page.getByRole('button', { name: 'Get a token' }).click()
        await requireStatus(page, VERIFIED)
        await page.getByRole('textbox', { name: 'client_secret' }).fill('<b>wrong</b>')
        await page.keyboard.press('Enter')
        await page.getByRole('status').filter({ hasText: 'invalid_client' }).waitFor()
        await requireStatus(page, 'invalid_client: Client authentication failed.')
        assert.equal(await page.getByRole('group', { name: 'Access token' }).count(), 0)
      })
      assert.deepEqual(reports, ['Failed to load resource: the server responded with a status of 401 (Unauthorized)'])
    })

    test('shows the refusal of a scope and of a resource', async () => {
      await visit(server.origin, {}, async (page) => {
        for (const [field, value, code] of [
          ['resource', 'urn:example:unknown', 'invalid_target'],
          ['scope', 'admin', 'invalid_scope'],
        ] as const) {
          await page.getByRole('textbox', { name: field }).fill(value)
          await page.keyboard.press('Enter')
          await page
            .getByRole('status')
            .filter({ hasText: `${code}: ` })
            .waitFor()
          await page.reload()
        }
      })
    })

    test('does not verify with other keys, with none, or a token that was changed', async () => {
      const other = { ...(await generateKey('RS256')), use: 'sig' }
      await visit(server.origin, {}, async (page) => {
        const jwks = '**/.well-known/jwks.json'
        const tryIt = async (expected: string) => {
          await page.reload()
          await page.getByRole('button').click()
          await requireStatus(page, expected)
        }
        await page.route(jwks, async (route) => {
          const { keys } = (await (await route.fetch()).json()) as { keys: object[] }
          await route.fulfill({ json: { keys: keys.map((key) => ({ ...key, n: other.n })) } })
        })
        await tryIt(UNVERIFIED)
        await page.unroute(jwks)
        await page.route(jwks, (route) => route.fulfill({ json: { keys: [] } }))
        await tryIt(UNVERIFIED)
        await page.unroute(jwks)
        await tryIt(VERIFIED)
        await page.route('**/token', async (route) => {
          const answer = (await (await route.fetch()).json()) as { access_token: string }
          const [header, claims = '', signature] = answer.access_token.split('.')
          const changed = atob(claims.replaceAll('-', '+').replaceAll('_', '/')).replace('"read"', '"admin"')
          await route.fulfill({ json: { access_token: `${header}.${btoa(changed)}.${signature}` } })
        })
        await tryIt(UNVERIFIED)
      })
    })

    test('says when the server does not answer', async () => {
      await visit(server.origin, {}, async (page) => {
        await page.route('**/token', (route) => route.abort())
        await page.getByRole('button').click()
        await requireStatus(page, 'No answer: Failed to fetch')
      })
    })

    test('runs no other script, and sends nothing to another origin', async () => {
      const reports = await visit(server.origin, {}, async (page) => {
        await page.evaluate(
          `document.body.append(Object.assign(document.createElement('script'), { text: 'ran = 1' }))`,
        )
        assert.equal(await page.evaluate('typeof ran'), 'undefined')
        const sent = await page.evaluate(`fetch('https://other.example/').then(() => 'sent', () => 'refused')`)
        assert.equal(sent, 'refused')
      })
      const refused = reports.filter((report) => report.startsWith('refused '))
      assert.deepEqual(refused, ['refused script-src-elem', 'refused connect-src'])
    })

    test('without JavaScript, puts no secret into a URL', async () => {
      await visit(server.origin, { javaScriptEnabled: false }, async (page) => {
        const requested: string[] = []
        page.on('request', (request) => requested.push(request.url()))
        const refused = page.waitForEvent('console', (message) => message.text().includes('form-action'))
        await page.getByRole('button').dispatchEvent('click')
        await refused
        assert.deepEqual([page.url(), requested], [`${server.origin}/`, []])
      })
    })
  })
}

describe('the page in production', () => {
  for (const [look, options] of LOOKS) {
    test(`${look}: has neither a script nor a form, and fits`, async () => {
      const SIGNING_KEYS = JSON.stringify({ keys: [await generateKey('ES256')] })
      const server = await startServer((port) => ({
        command: 'exec node src/index.ts',
        environment: { ISSUER: `http://localhost:${port}`, SIGNING_KEYS, STORE_URL: 'memory:', PORT: `${port}` },
      }))
      try {
        const reports = await visit(server.origin, options, async (page) => {
          await page.getByRole('heading', { name: 'Endpoints' }).waitFor()
          assert.equal(await page.locator('script, form, input, button').count(), 0)
          await requireFitting(page)
        })
        assert.deepEqual(reports, [])
      } finally {
        await server.stop()
      }
    })
  }
})
