import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { AccessToken } from '../../src/tokens/access_token.ts'
import { reuseKeys, reuseSecondsOf, type SignedToken, tokenReuse } from '../../src/tokens/reuse.ts'

const NOW = 1_800_000_000

const content: AccessToken = {
  issuer: 'https://tokens.example',
  subject: 'a',
  clientId: 'a',
  resources: [],
  scopes: [],
  id: 'id',
  issuedAt: NOW,
  expiresAt: NOW + 1800,
  cnf: {},
  claims: {},
}

/** Returns what signs a token, and counts how often it did. */
function signer() {
  const counted = { signatures: 0 }
  const sign =
    (more: Partial<AccessToken> = {}, jwt = 'jwt') =>
    async (): Promise<SignedToken> => {
      counted.signatures++
      return { jwt, accessToken: { ...content, id: `${counted.signatures}`, ...more } }
    }
  return { counted, sign }
}

describe('tokenReuse', () => {
  test('holds 10,000 tokens; the oldest make room', async () => {
    const { issue } = tokenReuse()
    const { counted, sign } = signer()
    for (let index = 0; index < 10_001; index++) await issue(`${index}`, 60, NOW, sign())
    assert.equal(counted.signatures, 10_001)
    assert.equal((await issue('1', 60, NOW, sign())).isReused, true)
    assert.equal((await issue('0', 60, NOW, sign())).isReused, false)
  })

  test('does not hold a token of more than 4,096 characters', async () => {
    const { issue } = tokenReuse()
    const { sign } = signer()
    for (const [key, length, isReused] of [
      ['small', 4096, true],
      ['large', 4097, false],
    ] as const) {
      await issue(key, 60, NOW, sign({}, 'x'.repeat(length)))
      assert.equal((await issue(key, 60, NOW, sign())).isReused, isReused)
    }
  })

  test('a signature that fails is not held, and fails for each request that waited for it', async () => {
    const { issue } = tokenReuse()
    const { sign } = signer()
    const fail = () => Promise.reject(new Error('no signature'))
    const both = await Promise.allSettled([issue('a', 60, NOW, fail), issue('a', 60, NOW, sign())])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal((await issue('a', 60, NOW, sign())).isReused, false)
  })

  test('a token that is denied while it is signed is not held', async () => {
    const { issue, drop } = tokenReuse()
    const { sign } = signer()
    const signing = issue('a', 60, NOW, async () => {
      drop({ before: NOW, client_id: 'a' })
      return sign()()
    })
    assert.equal((await signing).isReused, false)
    assert.equal((await issue('a', 60, NOW, sign({ issuedAt: NOW + 1 }))).isReused, false)
    assert.equal((await issue('a', 60, NOW + 1, sign())).isReused, true)
  })

  test('an earlier cut does not shorten a later one', async () => {
    const { issue, drop } = tokenReuse()
    const { sign } = signer()
    for (const before of [NOW, NOW - 100]) drop({ before })
    for (const before of [NOW + 5, NOW - 100]) drop({ before, client_id: 'b' })
    await issue('a', 60, NOW, sign())
    await issue('b', 60, NOW + 5, sign({ clientId: 'b', issuedAt: NOW + 5 }))
    assert.equal((await issue('a', 60, NOW, sign())).isReused, false)
    assert.equal((await issue('b', 60, NOW + 5, sign())).isReused, false)
  })

  test('the id of a token that was replaced drops nothing', async () => {
    const { issue, drop } = tokenReuse()
    const { sign } = signer()
    await issue('a', 60, NOW, sign({ id: 'old' }))
    await issue('a', 60, NOW + 61, sign({ id: 'new', issuedAt: NOW + 61 }))
    drop({ jti: 'old' })
    assert.equal((await issue('a', 60, NOW + 61, sign())).isReused, true)
  })

  test('a token that became too old is gone, also when the clock is set back', async () => {
    const { issue } = tokenReuse()
    const { sign } = signer()
    await issue('a', 60, NOW, sign())
    await issue('b', 60, NOW + 301, sign({ issuedAt: NOW + 301 }))
    assert.equal((await issue('a', 60, NOW, sign())).isReused, false)
  })

  test('a caller that waited in vain for the signature of another signs for itself', async () => {
    const { issue } = tokenReuse()
    const { counted, sign } = signer()
    void issue('a', 60, NOW, () => new Promise(() => undefined))
    const { isReused } = await issue('a', 60, NOW, sign())
    assert.deepEqual([isReused, counted.signatures], [false, 1])
  })

  test('drops one token, and leaves the others of its client', async () => {
    const { issue, drop } = tokenReuse()
    const { sign } = signer()
    for (const id of ['1', '2']) await issue(id, 60, NOW, sign({ id }))
    for (const jti of ['1', 'unknown']) drop({ jti })
    assert.equal((await issue('1', 60, NOW, sign())).isReused, false)
    assert.equal((await issue('2', 60, NOW, sign())).isReused, true)
  })
})

describe('reuseSecondsOf', () => {
  for (const [setting, lifetime, expected] of [
    [0, 1800, 0],
    [60, 1800, 60],
    [9999, 1_000_000, 300],
    [300, 60, 15],
    [300, 3, 0],
  ] as const) {
    test(`${setting} s of a token that lives ${lifetime} s`, () =>
      assert.equal(reuseSecondsOf(setting, lifetime), expected))
  }
})

describe('reuseKeys', () => {
  const [client, signingKey] = [{}, {}]
  const others: readonly [name: string, more: Partial<AccessToken>][] = [
    ['issuer', { issuer: 'https://other.example' }],
    ['subject', { subject: 'b' }],
    ['scopes', { scopes: ['a'] }],
    ['resources', { resources: ['a'] }],
    ['lifetime', { expiresAt: NOW + 60 }],
    ['confirmation', { cnf: { jkt: 'a' } }],
    ['other confirmation of the same value', { cnf: { 'x5t#S256': 'a' } }],
    ['actor', { actor: { sub: 'a' } }],
    ['subject with the text of an actor', { subject: '{"sub":"a"}' }],
    ['two scopes', { scopes: ['a', 'b'] }],
    ['a scope with a comma', { scopes: ['a,b'] }],
  ]

  test('each part of the content makes another key, and so do the profile and each record', () => {
    const keyOf = reuseKeys()
    const keys = others.map(([, more]) => keyOf({ ...content, ...more }, 'rfc9068', [signingKey, client]))
    keys.push(keyOf(content, 'rfc9068', [signingKey, client]), keyOf(content, 'fosite', [signingKey, client]))
    keys.push(keyOf(content, 'rfc9068', [{}, client]), keyOf(content, 'rfc9068', [signingKey, {}]))
    keys.push(keyOf(content, 'rfc9068', [signingKey, client, {}]))
    assert.equal(new Set(keys).size, keys.length)
  })

  test('neither the time nor the order of scopes and resources does', () => {
    const keyOf = reuseKeys()
    const one = { ...content, scopes: ['a', 'b'], resources: ['c', 'd'] }
    const other = { ...one, scopes: ['b', 'a'], resources: ['d', 'c'], issuedAt: NOW + 9, expiresAt: NOW + 1809 }
    assert.equal(keyOf(one, 'rfc9068', [client]), keyOf(other, 'rfc9068', [client]))
  })
})
