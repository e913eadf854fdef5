import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { describe, test } from '#test'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'
import { secretVerifier } from '../../src/secrets/verifier.ts'
import type { Client } from '../../src/types.ts'
import { NOW } from '../support/world.ts'

const secret = async (text: string, expires_at?: number) => ({ id: text, hash: await hash(text, 4), expires_at })
const client = async (...secrets: ReturnType<typeof secret>[]): Promise<Client> => ({
  client_id: 'c',
  client_secrets: await Promise.all(secrets),
})

/** Milliseconds of guessing at one client: the cost of 16 comparisons. */
const COST = 80 / 2 ** 6
const ALLOWANCE = 16 * COST

/** A verifier that counts its slow comparisons, with a clock that the test moves. */
function setUp() {
  const state = { compared: 0, milliseconds: 0 }
  const verify = secretVerifier({
    clock: () => state.milliseconds,
    clientAllowance: ALLOWANCE,
    totalAllowance: 3 * ALLOWANCE,
    onCompare: () => state.compared++,
  })
  return { state, verify }
}

describe('secretVerifier, which secret is right', () => {
  const verify = secretVerifier()

  test("accepts the hash of fosite's how-to, cost 10", async () => {
    const howTo = { id: '1', hash: '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO' }
    assert.equal(await verify({ client_id: 'c', client_secrets: [howTo] }, 'foobar', NOW), undefined)
  })

  test('accepts a secret until it expires, even if it was verified before', async () => {
    const expiring = await client(secret('s', NOW))
    assert.equal(await verify(expiring, 's', NOW - 1), undefined)
    assert.equal(await verify(expiring, 's', NOW - 1), undefined)
    assert.equal(await verify(expiring, 's', NOW), 'secret_expired')
  })

  test('accepts each of several live secrets, and not an expired one next to a live one', async () => {
    const rotated = await client(secret('old', NOW), secret('new', 0), secret('other'))
    assert.equal(await verify(rotated, 'new', NOW), undefined)
    assert.equal(await verify(rotated, 'other', NOW), undefined)
    assert.equal(await verify(rotated, 'old', NOW), 'secret_wrong')
  })

  test('counts octets, not characters', async () => {
    assert.equal(await verify(await client(secret('é'.repeat(36))), 'é'.repeat(36), NOW), undefined)
    assert.equal(await verify(await client(secret('é'.repeat(36))), 'é'.repeat(37), NOW), 'secret_wrong')
  })

  test('verifies a generated secret by its SHA-256, without a slow comparison', async () => {
    const { state, verify } = setUp()
    const generated = generateSecret()
    const hashed = await hashSecret(generated)
    const owner = { client_id: 'c', client_secrets: [await secret('old'), { id: '2', hash: hashed }] }
    assert.equal(await verify(owner, generated, NOW), undefined)
    assert.equal(state.compared, 0)
    assert.equal(
      await verify({ ...owner, client_secrets: [{ id: '2', hash: hashed }] }, generateSecret(), NOW),
      'secret_wrong',
    )
  })

  const unknown = [
    '',
    'foobar',
    '$2x$04$',
    '$2b$99$',
    '$2b$03$',
    '$2b$16$',
    '$2b$31$',
    '$argon2id$v=19$',
    '$sha256$',
    `$sha256$${'A'.repeat(42)}B`,
    '$pbkdf2-sha256$i=1000,l=32$AAAAAAAAAAAAAAAAAAAAA$',
    '$pbkdf2-sha256$i=1000,l=16$c2FsdA$',
    '$pbkdf2-sha256$i=0,l=32$c2FsdA$',
  ]
  for (const hash of [...unknown, '$pbkdf2-sha256$i=100001,l=32$c2FsdA$', '$pbkdf2-sha256$i=9,l=8$c2FsdA$']) {
    test(`refuses the hash ${JSON.stringify(hash)} without comparing`, async () => {
      const { state, verify } = setUp()
      const padded = hash.startsWith('$2')
        ? hash.padEnd(60, 'a')
        : `${hash}${'a'.repeat(hash.startsWith('$p') ? 43 : 0)}`
      assert.equal(
        await verify({ client_id: 'c', client_secrets: [{ id: '1', hash: padded }] }, 'foobar', NOW),
        'secret_hash_unknown',
      )
      assert.equal(state.compared, 0)
    })
  }
})

describe('secretVerifier, how often it compares', () => {
  test('once for 10,000 requests with the same secret', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    for (let index = 0; index < 10_000; index++) assert.equal(await verify(owner, 'foobar', NOW), undefined)
    assert.equal(state.compared, 1)
  })

  test('once for each of several secrets, in any order of use', async () => {
    const { state, verify } = setUp()
    const rotated = await client(secret('old'), secret('new'))
    for (let index = 0; index < 50; index++) {
      assert.equal(await verify(rotated, 'new', NOW), undefined)
      assert.equal(await verify(rotated, 'old', NOW), undefined)
    }
    assert.equal(state.compared, 3)
  })

  test('once for concurrent first requests', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    const results = await Promise.all(Array.from({ length: 100 }, () => verify(owner, 'foobar', NOW)))
    assert.ok(results.every((reason) => reason === undefined))
    assert.equal(state.compared, 1)
  })

  test('again when the hash changes, even for the same secret', async () => {
    const { state, verify } = setUp()
    await verify(await client(secret('foobar')), 'foobar', NOW)
    await verify(await client(secret('foobar')), 'foobar', NOW)
    assert.equal(state.compared, 2)
  })

  test('again for another client with the same hash', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    await verify(owner, 'foobar', NOW)
    await verify({ ...owner, client_id: 'd' }, 'foobar', NOW)
    assert.equal(state.compared, 2)
  })

  test('once for a wrong secret that is repeated', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    for (let index = 0; index < 1000; index++) assert.equal(await verify(owner, 'wrong', NOW), 'secret_wrong')
    assert.equal(state.compared, 1)
  })

  test('again when a wrong secret becomes the right one', async () => {
    const { verify } = setUp()
    assert.equal(await verify(await client(secret('foobar')), 'new', NOW), 'secret_wrong')
    assert.equal(await verify(await client(secret('foobar'), secret('new')), 'new', NOW), undefined)
  })

  test('again for a verified secret that has been forgotten', async () => {
    const state = { compared: 0 }
    const verify = secretVerifier({ maxVerified: 4, onCompare: () => state.compared++ })
    const owner = await client(secret('foobar'))
    const verifyAs = (client_id: string) => verify({ ...owner, client_id }, 'foobar', NOW)
    for (const id of ['a', 'b', 'c', 'd', 'd', 'c']) assert.equal(await verifyAs(id), undefined)
    assert.equal(state.compared, 4)
    assert.equal(await verifyAs('a'), undefined)
    assert.equal(state.compared, 5)
  })

  test('again for a wrong secret that has been forgotten', async () => {
    const { state, verify } = setUp()
    const owner = {
      client_id: 'c',
      client_secrets: [{ id: '1', hash: `$pbkdf2-sha256$i=1,l=16$AAAA$${'A'.repeat(22)}` }],
    }
    for (let index = 0; index <= 2000; index++) {
      state.milliseconds += 1000
      assert.equal(await verify(owner, `wrong-${index}`, NOW), 'secret_wrong')
    }
    assert.equal(state.compared, 2001)
    for (const [guess, compared] of [
      ['wrong-2000', 2001],
      ['wrong-0', 2002],
    ] as const) {
      assert.equal(await verify(owner, guess, NOW), 'secret_wrong')
      assert.equal(state.compared, compared)
    }
  })
})
