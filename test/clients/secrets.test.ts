import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { describe, test } from '#test'
import { generateSecret } from '../../src/clients/generated_secret.ts'
import { hashSecret } from '../../src/clients/secret_hashes.ts'
import { secretVerifier } from '../../src/clients/secrets.ts'
import { OAuthError } from '../../src/errors.ts'
import type { Client } from '../../src/types.ts'
import { NOW } from '../support/world.ts'

const secret = async (text: string, expires_at?: number) => ({ id: text, hash: await hash(text, 4), expires_at })
const client = async (...secrets: ReturnType<typeof secret>[]): Promise<Client> => ({
  client_id: 'c',
  client_secrets: await Promise.all(secrets),
})

/** Milliseconds of guessing. */
const ALLOWANCE = 100

/** A verifier that counts its slow comparisons, and whose clock the test moves. */
function setUp() {
  const state = { compared: 0, milliseconds: 0 }
  const verify = secretVerifier({
    clock: () => state.milliseconds,
    allowance: ALLOWANCE,
    onCompare: () => state.compared++,
  })
  return { state, verify }
}
const isBusy = (error: unknown) => {
  assert.ok(error instanceof OAuthError && error.reason === 'comparisons_busy' && error.status === 503)
  assert.equal(error.headers['Retry-After'], '1')
  return true
}

describe('secretVerifier, which secret is right', () => {
  const verify = secretVerifier({ clock: () => Number.POSITIVE_INFINITY })

  test('takes the hash of the how-to, cost 10', async () => {
    const howTo = { id: '1', hash: '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO' }
    assert.equal(await verify({ client_id: 'c', client_secrets: [howTo] }, 'foobar', NOW), undefined)
  })

  test('takes a secret until the second before it expires, though it was verified before', async () => {
    const expiring = await client(secret('s', NOW))
    assert.equal(await verify(expiring, 's', NOW - 1), undefined)
    assert.equal(await verify(expiring, 's', NOW - 1), undefined)
    assert.equal(await verify(expiring, 's', NOW), 'secret_expired')
  })

  test('takes any live one of several, and none that expired beside a live one', async () => {
    const rotated = await client(secret('old', NOW), secret('new', 0), secret('other'))
    assert.equal(await verify(rotated, 'new', NOW), undefined)
    assert.equal(await verify(rotated, 'other', NOW), undefined)
    assert.equal(await verify(rotated, 'old', NOW), 'secret_wrong')
  })

  test('counts octets, not characters', async () => {
    assert.equal(await verify(await client(secret('é'.repeat(36))), 'é'.repeat(36), NOW), undefined)
    assert.equal(await verify(await client(secret('é'.repeat(36))), 'é'.repeat(37), NOW), 'secret_wrong')
  })

  test('takes a generated secret by its SHA-256, without a slow comparison', async () => {
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

  test('once for each of several secrets, whichever of them is used then', async () => {
    const { state, verify } = setUp()
    const rotated = await client(secret('old'), secret('new'))
    for (let index = 0; index < 50; index++) {
      assert.equal(await verify(rotated, 'new', NOW), undefined)
      assert.equal(await verify(rotated, 'old', NOW), undefined)
    }
    assert.equal(state.compared, 3)
  })

  test('once for all who come first at the same time', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    const results = await Promise.all(Array.from({ length: 100 }, () => verify(owner, 'foobar', NOW)))
    assert.ok(results.every((reason) => reason === undefined))
    assert.equal(state.compared, 1)
  })

  test('anew when the hash changes, though the secret is the same', async () => {
    const { state, verify } = setUp()
    await verify(await client(secret('foobar')), 'foobar', NOW)
    await verify(await client(secret('foobar')), 'foobar', NOW)
    assert.equal(state.compared, 2)
  })

  test('anew for another client with the same hash', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    await verify(owner, 'foobar', NOW)
    await verify({ ...owner, client_id: 'd' }, 'foobar', NOW)
    assert.equal(state.compared, 2)
  })

  test('anew for each wrong guess: what was wrong is not remembered', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    for (let index = 0; index < 3; index++) {
      state.milliseconds += 1000
      assert.equal(await verify(owner, 'wrong', NOW), 'secret_wrong')
    }
    assert.equal(state.compared, 3)
  })
})

describe('secretVerifier, when too much is asked', () => {
  test('eight slow comparisons at a time, the ninth is 503 at once', async () => {
    const begin = Promise.withResolvers<void>()
    let compared = 0
    const onCompare = () => {
      compared++
      return begin.promise
    }
    const verify = secretVerifier({ clock: () => 0, onCompare })
    const owner = await client(secret('foobar'))
    const refused: unknown[] = []
    const allRefused = Promise.withResolvers<void>()
    const tries = Array.from({ length: 20 }, async (_, index) => {
      try {
        return await verify(owner, `wrong-${index}`, NOW)
      } catch (error) {
        if (refused.push(error) === 12) allRefused.resolve()
        return 'refused'
      }
    })
    await allRefused.promise
    assert.equal(compared, 8)
    assert.ok(refused.every(isBusy))
    begin.resolve()
    assert.equal((await Promise.all(tries)).filter((reason) => reason === 'secret_wrong').length, 8)
    assert.equal(await verify(owner, 'foobar', NOW), undefined)
  })

  test('guessing gets its allowance, then an eighth of the time; those who were verified go on', async () => {
    const { state, verify } = setUp()
    const known = await client(secret('known'))
    await verify(known, 'known', NOW)
    const other = await client(secret('foobar'))
    const cost = 80 / 2 ** 6
    const guess = async () => verify(other, 'wrong', NOW)
    let guesses = 0
    for (; guesses <= ALLOWANCE / cost; guesses++) assert.equal(await guess(), 'secret_wrong')
    await assert.rejects(guess(), isBusy)
    await assert.rejects(verify(other, 'foobar', NOW), isBusy)
    assert.equal(await verify(known, 'known', NOW), undefined)
    state.milliseconds = 8 * cost
    assert.equal(await guess(), 'secret_wrong')
    await assert.rejects(guess(), isBusy)
    state.milliseconds = 16 * cost
    assert.equal(await verify(other, 'foobar', NOW), undefined)
  })

  test('what a right secret cost on the way to it is not counted as guessing', async () => {
    const { verify } = setUp()
    const cost = 80 / 2 ** 6
    const many = await client(...Array.from({ length: 10 }, (_, index) => secret(`secret-${index}`)))
    for (let index = 0; index < ALLOWANCE / cost; index++) {
      assert.equal(await verify({ ...many, client_id: `c${index}` }, 'secret-9', NOW), undefined)
    }
    assert.equal(await verify(await client(secret('other')), 'wrong', NOW), 'secret_wrong')
  })

  test('a secret that bcrypt cannot take costs nobody anything', async () => {
    const { state, verify } = setUp()
    const owner = await client(secret('foobar'))
    for (let index = 0; index < 1000; index++) assert.equal(await verify(owner, 'x'.repeat(73), NOW), 'secret_wrong')
    assert.equal(state.compared, 0)
    assert.equal(await verify(owner, 'foobar', NOW), undefined)
  })

  test('a comparison that never ends keeps its place for a minute only', async () => {
    const state = { milliseconds: 1 }
    const hang = { now: true }
    const onCompare = () => (hang.now ? new Promise<never>(() => undefined) : undefined)
    const verify = secretVerifier({ clock: () => state.milliseconds, onCompare })
    const owner = await client(secret('foobar'))
    for (let index = 0; index < 8; index++) void verify(owner, `wrong-${index}`, NOW)
    await new Promise((resolve) => setTimeout(resolve, 50))
    hang.now = false
    await assert.rejects(verify(owner, 'foobar', NOW), isBusy)
    state.milliseconds = 60_002
    assert.equal(await verify(owner, 'foobar', NOW), undefined)
  })
})
