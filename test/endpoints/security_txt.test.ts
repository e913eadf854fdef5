import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { createWorld, ISSUER, NOW, type WorldOptions } from '../support/world.ts'

const PATH = '/.well-known/security.txt'
const securityContacts = ['mailto:security@tokens.example', 'https://tokens.example/report']
const YEAR_SECONDS = 365 * 24 * 60 * 60

async function read(options: WorldOptions = {}, url: string = ISSUER + PATH) {
  const { app } = await createWorld({ securityContacts, ...options })
  const response = await app.request(url)
  return { response, lines: (await response.text()).split('\n') }
}

describe('GET /.well-known/security.txt', () => {
  // RFC 9116 §2.5 and §3.
  test('names the contacts, until when they hold, and itself', async () => {
    const { response, lines } = await read()
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('Content-Type'), 'text/plain; charset=utf-8')
    assert.deepEqual(lines, [
      'Contact: mailto:security@tokens.example',
      'Contact: https://tokens.example/report',
      'Expires: 2027-07-14T00:00:00.000Z',
      'Preferred-Languages: en',
      `Canonical: ${ISSUER}${PATH}`,
      '',
    ])
  })

  test('expires within a year of any request, and is the same for a day', async () => {
    const { app } = await createWorld({ securityContacts, now: () => clock })
    let clock = NOW
    const texts = new Set<string>()
    for (const hours of [0, 1, 24, 24 * 300]) {
      clock = NOW + hours * 3600
      const text = await (await app.request(ISSUER + PATH)).text()
      const expiresAt = Date.parse(/^Expires: (.+)$/m.exec(text)?.[1] ?? '') / 1000
      assert.ok(expiresAt > clock + YEAR_SECONDS / 4 && expiresAt < clock + YEAR_SECONDS, text)
      texts.add(text)
    }
    assert.equal(texts.size, 3)
  })

  test('is at the root for an issuer with a path', async () => {
    const { response, lines } = await read({ issuer: `${ISSUER}/tenant` })
    assert.equal(response.status, 200)
    assert.ok(lines.includes(`Canonical: ${ISSUER}${PATH}`))
  })

  test('is canonical at https only', async () => {
    const { lines } = await read({ issuer: (url) => new URL(url).origin }, `http://localhost:8080${PATH}`)
    assert.ok(!lines.join().includes('Canonical'))
  })

  test('is absent without a contact', async () => {
    for (const none of [[], undefined]) {
      const { app } = await createWorld({ ...(none && { securityContacts: none }) })
      assert.equal((await app.request(ISSUER + PATH)).status, 404)
    }
  })
})
