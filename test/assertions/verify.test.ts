import assert from 'node:assert/strict'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { readAssertion } from '../../src/assertions/assertion.ts'
import { claimOnce } from '../../src/assertions/replay.ts'
import { isSignedBy } from '../../src/assertions/signature.ts'
import { type AssertionRules, verifyAssertion } from '../../src/assertions/verify.ts'
import { OAuthError } from '../../src/errors.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import type { AssertionReason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Jwk } from '../../src/types.ts'
import { guarded, ISSUER, NOW } from '../support/world.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), kid: 'k' } as Jwk
const strangers = (await exportJWK((await generateKeyPair('ES256')).publicKey)) as Jwk

const CLAIMS = { iss: 'a', sub: 'b', aud: ISSUER, exp: NOW + 60, jti: 'j' }

/** Signs claims, which may be JSON text that JSON.stringify cannot produce. */
function sign(
  claims: object | string,
  header: Record<string, unknown> = {},
  alg = 'ES256',
  key = privateKey,
): Promise<string> {
  const payload = new TextEncoder().encode(typeof claims === 'string' ? claims : JSON.stringify(claims))
  return new CompactSign(payload).setProtectedHeader({ ...header, alg }).sign(key)
}

/** A ledger that records its marks. */
function rulesOf(more: Partial<AssertionRules> = {}) {
  const marks: [key: string, expiresAt: number][] = []
  const { ledger } = memoryStores(() => NOW)
  const rules: AssertionRules = {
    types: ['jwt'],
    alg: undefined,
    findKeys: async () => [jwk],
    issuer: 'a',
    isSubject: (sub) => sub === 'b',
    audiences: [ISSUER, 'urn:b'],
    maxLifetimeSeconds: 100,
    now: NOW,
    once: {
      purpose: 'test',
      ledger: {
        ...ledger,
        add: (key, value, expiresAt) => {
          marks.push([key, expiresAt])
          return ledger.add(key, value, expiresAt)
        },
      },
    },
    ...more,
  }
  return { rules, marks }
}

async function verify(jws: string, rules = rulesOf().rules): Promise<AssertionReason | undefined> {
  const assertion = readAssertion(jws)
  assert.ok(assertion !== undefined)
  return verifyAssertion(assertion, rules)
}

describe('verifyAssertion', () => {
  const claims: readonly [claims: Record<string, unknown>, reason: AssertionReason | undefined][] = [
    [{}, undefined],
    [{ iss: 'b' }, 'assertion_iss_wrong'],
    [{ sub: 'a' }, 'assertion_sub_wrong'],
    [{ sub: ['b'] }, 'assertion_sub_wrong'],
    [{ aud: 'urn:b' }, undefined],
    [{ aud: ['urn:b'] }, undefined],
    [{ aud: [['urn:b']] }, 'assertion_aud_wrong'],
    [{ aud: ['urn:b', 'urn:b'] }, 'assertion_aud_wrong'],
    [{ aud: ['urn:b', ISSUER] }, 'assertion_aud_wrong'],
    [{ aud: 'urn:B' }, 'assertion_aud_wrong'],
    [{ exp: NOW - 29.5 }, undefined],
    [{ exp: NOW - 30 }, 'assertion_expired'],
    [{ exp: NOW + 130 }, undefined],
    [{ exp: NOW + 130.5 }, 'assertion_lives_too_long'],
    [{ exp: [NOW] }, 'assertion_exp_missing'],
    [{ nbf: NOW + 30 }, undefined],
    [{ nbf: NOW + 30.5 }, 'assertion_not_yet_valid'],
    [{ iat: NOW + 30 }, undefined],
    [{ iat: NOW + 30.5 }, 'assertion_not_yet_valid'],
    [{ iat: false }, 'assertion_not_yet_valid'],
    [{ jti: ['j'] }, 'assertion_jti_missing'],
    [{ jti: '' }, 'assertion_jti_missing'],
  ]
  for (const [more, reason] of claims) {
    test(`${JSON.stringify(more)}: ${reason ?? 'accepted'}`, async () => {
      const { rules, marks } = rulesOf()
      assert.equal(await verify(await sign({ ...CLAIMS, ...more }), rules), reason)
      assert.equal(marks.length, reason === undefined ? 1 : 0)
    })
  }

  test('an infinite exp is refused', async () => {
    for (const exp of ['1e999', '-1e999']) {
      const raw = JSON.stringify(CLAIMS).replace(`"exp":${NOW + 60}`, `"exp":${exp}`)
      assert.equal(await verify(await sign(raw)), 'assertion_exp_missing')
    }
  })

  test('members of Object.prototype are neither claims nor header parameters', async () => {
    const raw = `{"__proto__":${JSON.stringify(CLAIMS)}}`
    assert.equal(await verify(await sign(raw)), 'assertion_iss_wrong')
    for (const alg of ['__proto__', 'constructor', 'toString']) {
      const header = encodeBase64url(new TextEncoder().encode(JSON.stringify({ alg })))
      const [, ...rest] = (await sign(CLAIMS)).split('.')
      assert.equal(await verify([header, ...rest].join('.')), 'assertion_alg_not_allowed')
    }
  })

  const headers: readonly [header: Record<string, unknown>, reason: AssertionReason | undefined][] = [
    [{ typ: 'JWT' }, undefined],
    [{ typ: 'dpop+jwt' }, 'assertion_typ_wrong'],
    [{ typ: null }, 'assertion_typ_wrong'],
    [{ kid: 'k' }, undefined],
    [{ kid: 'x' }, 'assertion_key_unknown'],
    [{ kid: null }, 'assertion_malformed'],
    [{ kid: '' }, 'assertion_key_unknown'],
  ]
  for (const [header, reason] of headers) {
    test(`header ${JSON.stringify(header)}: ${reason ?? 'accepted'}`, async () => {
      assert.equal(await verify(await sign(CLAIMS, header)), reason)
    })
  }

  test('tries each key that fits, and fetches newer keys only when none does', async () => {
    const asked: unknown[] = []
    const answers: Jwk[][] = [[strangers, jwk]]
    const findKeys: AssertionRules['findKeys'] = async (options) => {
      asked.push(options?.refresh ?? false)
      return answers[asked.length - 1] ?? []
    }
    assert.equal(await verify(await sign(CLAIMS), rulesOf({ findKeys }).rules), undefined)
    assert.deepEqual(asked, [false])
    answers.splice(0, 1, [strangers])
    asked.length = 0
    assert.equal(await verify(await sign(CLAIMS), rulesOf({ findKeys }).rules), 'assertion_signature_wrong')
    assert.deepEqual(asked, [false])
    answers.splice(0, 1, [{ ...jwk, kid: 'old' }], [jwk])
    asked.length = 0
    assert.equal(await verify(await sign(CLAIMS, { kid: 'k' }), rulesOf({ findKeys }).rules), undefined)
    assert.deepEqual(asked, [false, true])
  })

  test('a signer may be bound to an algorithm, under either name of EdDSA', async () => {
    assert.equal(await verify(await sign(CLAIMS), rulesOf({ alg: 'ES256' }).rules), undefined)
    assert.equal(await verify(await sign(CLAIMS), rulesOf({ alg: 'ES384' }).rules), 'assertion_alg_not_allowed')
    assert.equal(await verify(await sign(CLAIMS), rulesOf({ alg: 'EdDSA' }).rules), 'assertion_alg_not_allowed')
    const pair = await generateKeyPair('EdDSA', { extractable: true })
    const bare = (await exportJWK(pair.publicKey)) as Jwk
    for (const [signed, bound, named] of [
      ['EdDSA', 'Ed25519', undefined],
      ['Ed25519', 'EdDSA', 'EdDSA'],
      ['EdDSA', 'EdDSA', 'Ed25519'],
      ['Ed25519', undefined, 'EdDSA'],
    ] as const) {
      const key = named === undefined ? bare : { ...bare, alg: named }
      const { rules } = rulesOf({ alg: bound, findKeys: async () => [key] })
      assert.equal(await verify(await sign(CLAIMS, {}, signed, pair.privateKey), rules), undefined)
    }
  })

  test('the replay mark is per issuer, and lasts until the assertion is too old, plus slack', async () => {
    const { rules, marks } = rulesOf()
    assert.equal(await verify(await sign({ ...CLAIMS, exp: NOW + 60.5 }), rules), undefined)
    assert.equal(await verify(await sign(CLAIMS), rules), 'assertion_replayed')
    assert.equal(await verify(await sign({ ...CLAIMS, iss: 'c' }), { ...rules, issuer: 'c' }), undefined)
    assert.equal(await verify(await sign({ ...CLAIMS, jti: 'J' }), rules), undefined)
    assert.deepEqual(
      marks.map(([, expiresAt]) => expiresAt - NOW),
      [61 + 30 + 60, 60 + 30 + 60, 60 + 30 + 60, 60 + 30 + 60],
    )
    assert.equal(new Set(marks.map(([key]) => key)).size, 3)
  })
})

describe('claimOnce', () => {
  test('distinguishes parts however they are split, and its keys have a fixed length', async () => {
    const { ledger } = memoryStores(() => NOW)
    const keys: string[] = []
    const kept = {
      ...ledger,
      add: (key: string, value: string, expiresAt: number) => {
        keys.push(key)
        return ledger.add(key, value, expiresAt)
      },
    }
    for (const parts of [['a', 'b'], ['ab'], ['a', '', 'b'], ['a,b'], ['a","b'], ['x'.repeat(10_000)]]) {
      assert.equal(await claimOnce(kept, parts, NOW + 1), true)
      assert.equal(await claimOnce(kept, parts, NOW + 1), false)
    }
    for (const key of keys) assert.match(key, /^jti:[\w-]{43}$/)
  })

  test('a failing ledger is 503', async () => {
    const broken = { ...memoryStores(() => NOW).ledger, add: () => Promise.reject(new Error('down')) }
    const { ledger } = guarded({ ledger: broken })
    await assert.rejects(
      claimOnce(ledger, ['a'], NOW),
      (error) => error instanceof OAuthError && error.status === 503 && error.reason === 'store_failed',
    )
  })
})

describe('isSignedBy', () => {
  test('only for the right key, and only with the given algorithm', async () => {
    const jws = await sign(CLAIMS)
    assert.equal(await isSignedBy(jws, jwk, 'ES256'), true)
    assert.equal(await isSignedBy(jws, strangers, 'ES256'), false)
    assert.equal(await isSignedBy(jws, { ...jwk, x: jwk['y'] }, 'ES256'), false)
    const rsa = await generateKeyPair('RS256', { extractable: true })
    const key = (await exportJWK(rsa.publicKey)) as Jwk
    const signed = await sign(CLAIMS, {}, 'RS256', rsa.privateKey)
    assert.equal(await isSignedBy(signed, key, 'RS256'), true)
    for (const alg of ['PS256', 'RS384', 'RS512', 'ES256']) assert.equal(await isSignedBy(signed, key, alg), false, alg)
  })
})

describe('readAssertion', () => {
  test('accepts 16 KiB and no more', async () => {
    const part = (size: number) => encodeBase64url(new TextEncoder().encode(JSON.stringify({ x: 'x'.repeat(size) })))
    const fill = (length: number) => {
      const rest = `${part(0)}.AAAA`
      for (let size = Math.floor((length * 3) / 4) - 60; size < length; size++) {
        const jws = `${part(size)}.${rest}`
        if (jws.length >= length) return jws
      }
      return ''
    }
    const [longest, longer] = [fill(16 * 1024), fill(16 * 1024 + 1)]
    assert.equal(longest.length, 16 * 1024)
    assert.ok(readAssertion(longest) !== undefined)
    assert.equal(readAssertion(longer), undefined)
  })

  test('refuses anything but three parts of canonical base64url with two JSON objects', async () => {
    const [header = '', claims = '', signature = ''] = (await sign(CLAIMS)).split('.')
    const encode = (text: string) => encodeBase64url(new TextEncoder().encode(text))
    assert.ok(readAssertion(`${header}.${claims}.${signature}`) !== undefined)
    for (const parts of [
      ...[
        [],
        [header],
        [header, claims],
        [header, claims, ''],
        [header, claims, signature, ''],
        ['', claims, signature],
      ],
      ...[
        [header, '', signature],
        [`${header}=`, claims, signature],
        [header, `${claims}=`, signature],
      ],
      ...[
        [header, claims, `${signature}=`],
        [header, claims, ` ${signature}`],
        [header, claims, 'A'],
        [header, claims, 'AB'],
      ],
      ...['null', '[]', '"a"', '1', '{', '{"a":1,"a":2}', '\ufeff{}', '{}{}'].flatMap((text) => [
        [encode(text), claims, signature],
        [header, encode(text), signature],
      ]),
      [encodeBase64url(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), claims, signature],
    ]) {
      assert.equal(readAssertion(parts.join('.')), undefined, parts.join('.'))
    }
  })
})

describe('single use', () => {
  const claims = { iss: 'a', sub: 'b', aud: ISSUER, exp: NOW + 60, jti: 'j' }

  test('is for one purpose: the same jti counts once for each', async () => {
    const { ledger } = memoryStores(() => NOW)
    const jws = await sign(claims)
    for (const purpose of ['one', 'two']) {
      const { rules } = rulesOf({ once: { ledger, purpose } })
      assert.equal(await verify(jws, rules), undefined)
      assert.equal(await verify(jws, rules), 'assertion_replayed')
    }
  })

  test('is not asked of an assertion that may be presented again, which needs no jti', async () => {
    const { once: _once, ...rules } = rulesOf().rules
    const { jti: _jti, ...rest } = claims
    const jws = await sign(rest)
    for (let index = 0; index < 2; index++) assert.equal(await verify(jws, rules), undefined)
    assert.equal(await verify(await sign({ ...rest, exp: NOW - 31 }), rules), 'assertion_expired')
  })
})

test('a subject may be decided by a rule', async () => {
  const { rules } = rulesOf({ isSubject: (sub) => typeof sub === 'string' && sub.startsWith('repo:me/') })
  const claims = { iss: 'a', aud: ISSUER, exp: NOW + 60 }
  assert.equal(await verify(await sign({ ...claims, sub: 'repo:me/app', jti: '1' }), rules), undefined)
  for (const sub of ['repo:you/app', undefined, 7, ['repo:me/app']]) {
    assert.equal(await verify(await sign({ ...claims, sub, jti: '2' }), rules), 'assertion_sub_wrong')
  }
})
