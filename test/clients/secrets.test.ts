import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { describe, test } from '#test'
import { verifySecret } from '../../src/clients/secrets.ts'
import { NOW } from '../support/world.ts'

const secret = async (text: string, expires_at?: number) => ({ id: text, hash: await hash(text, 4), expires_at })
const client = async (...secrets: ReturnType<typeof secret>[]) => ({
  client_id: 'c',
  client_secrets: await Promise.all(secrets),
})

describe('verifySecret', () => {
  test('takes the hash of the how-to, cost 10', async () => {
    const howTo = { id: '1', hash: '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO' }
    assert.equal(await verifySecret({ client_id: 'c', client_secrets: [howTo] }, 'foobar', NOW), undefined)
  })

  test('takes a secret until the second before it expires', async () => {
    const expiring = await client(secret('s', NOW))
    assert.equal(await verifySecret(expiring, 's', NOW - 1), undefined)
    assert.equal(await verifySecret(expiring, 's', NOW), 'secret_expired')
  })

  test('takes any live one of several, and none that expired beside a live one', async () => {
    const rotated = await client(secret('old', NOW), secret('new', 0), secret('other'))
    assert.equal(await verifySecret(rotated, 'new', NOW), undefined)
    assert.equal(await verifySecret(rotated, 'other', NOW), undefined)
    assert.equal(await verifySecret(rotated, 'old', NOW), 'secret_wrong')
  })

  test('counts octets, not characters', async () => {
    assert.equal(await verifySecret(await client(secret('é'.repeat(36))), 'é'.repeat(36), NOW), undefined)
    assert.equal(await verifySecret(await client(secret('é'.repeat(36))), 'é'.repeat(37), NOW), 'secret_malformed')
  })

  for (const hash of ['', 'foobar', '$2x$04$', '$2b$99$', '$argon2id$v=19$', '$2b$03$', '$2b$16$', '$2b$31$']) {
    test(`refuses the hash ${JSON.stringify(hash)} without comparing`, async () => {
      const hashed = { id: '1', hash: hash.startsWith('$2') ? hash.padEnd(60, 'a') : hash }
      assert.equal(
        await verifySecret({ client_id: 'c', client_secrets: [hashed] }, 'foobar', NOW),
        'secret_hash_unknown',
      )
    })
  }
})
