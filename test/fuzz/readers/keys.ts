/** JWK Sets, and the members of public keys. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import * as v from 'valibot'
import { ASSERTION_ALGORITHMS } from '../../../src/assertions/algorithms.ts'
import { fittingKeys } from '../../../src/assertions/fitting_keys.ts'
import { JwkSet } from '../../../src/assertions/jwk_set.ts'
import { problemOfKey } from '../../../src/assertions/public_key.ts'
import { problemOfMembers } from '../../../src/assertions/public_members.ts'
import { thumbprintOfKey } from '../../../src/certificates/jwk_certificate.ts'
import { decodeBase64url } from '../../../src/lib/base64url.ts'
import { type Edit, edited, edits, type Fuzzed, fuzzed, readOr } from '../fuzzed.ts'

const good = await Promise.all(
  ['ES256', 'ES384', 'ES512', 'Ed25519', 'RS256'].map(async (alg) =>
    exportJWK((await generateKeyPair(alg, { extractable: true })).publicKey),
  ),
)

const MEMBERS = [
  'kty',
  'crv',
  'x',
  'y',
  'n',
  'e',
  'alg',
  'use',
  'key_ops',
  'kid',
  'd',
  'k',
  'x5c',
  'x5t#S256',
  '__proto__',
] as const
const PIECES = ['A', 'AA', 'AAAA', '=', '-', '_', 'AQAB', 'Aw', 'P-256', 'RSA', ' ', 'é']

/** What is done to a member: it is removed, replaced, taken from another key, or its text is changed. */
type Change = readonly [member: string, to: unknown] | { readonly member: string; readonly changes: readonly Edit[] }

const TEXTS = [
  '',
  'RSA',
  'EC',
  'OKP',
  'oct',
  'P-256',
  'P-384',
  'P-521',
  'Ed25519',
  'X25519',
  'AQ',
  'Aw',
  'AQAB',
  'AAAB',
  'Ag',
  'sig',
  'enc',
  'ES256',
  'RS256',
  'A'.repeat(43),
  `${'_'.repeat(42)}8`,
]
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.constantFrom(undefined, null, 1, {}, [], ['verify'], ['sign'], true),
  fc.uint8Array({ minLength: 31, maxLength: 67 }).map((octets) =>
    btoa(String.fromCharCode(...octets))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', ''),
  ),
)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom(...MEMBERS), values),
  fc.record({ member: fc.constantFrom(...MEMBERS), changes: edits(PIECES) }),
)
const keys = fc.record({ base: fc.nat({ max: good.length - 1 }), changes: fc.array(change, { maxLength: 3 }) })

function changed(key: JWK, changes: readonly Change[]): Record<string, unknown> {
  const entries = new Map<string, unknown>(Object.entries(key))
  for (const each of changes) {
    if ('member' in each) entries.set(each.member, edited(String(entries.get(each.member) ?? ''), each.changes))
    else if (each[1] === undefined) entries.delete(each[0])
    else entries.set(each[0], each[1])
  }
  return Object.fromEntries(entries)
}

const integerOf = (text: unknown): bigint =>
  decodeBase64url(String(text)).reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)

/** `p` and `b` of the curves of NIST SP 800-186 §3.2.1, whose `a` is -3. */
const CURVES: Readonly<Record<string, readonly [p: bigint, b: bigint]>> = {
  'P-256': [
    2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  ],
  'P-384': [
    2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  ],
  'P-521': [
    2n ** 521n - 1n,
    0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  ],
}

function isOnCurve({ crv, x, y }: Record<string, unknown>): boolean {
  const [p = 0n, b = 0n] = CURVES[String(crv)] ?? []
  const [left, right] = [integerOf(x), integerOf(y)]
  return left < p && right < p && (right * right - (left ** 3n - 3n * left + b)) % p === 0n
}

const members = fuzzed('jwk', keys, ({ base, changes }) => {
  const key = changed(good[base] ?? {}, changes)
  const problem = problemOfMembers(key)
  if (changes.length === 0) assert.equal(problem, undefined)
  for (const alg of ASSERTION_ALGORITHMS.keys()) {
    const [fitting] = fittingKeys([key], alg, undefined)
    if (fitting !== undefined) assert.equal(problem, undefined)
  }
  if (problem !== undefined) return
  assert.ok(['d', 'k', 'p', 'q'].every((member) => !(member in key)))
  assert.ok(['EC', 'OKP', 'RSA'].includes(String(key['kty'])))
  if (key['kty'] === 'RSA') {
    const [modulus, exponent] = [integerOf(key['n']), integerOf(key['e'])]
    assert.ok(modulus >= 2n ** 2047n && modulus < 2n ** 8192n)
    assert.ok(exponent >= 3n && exponent % 2n === 1n && exponent < 2n ** 33n)
  }
})

const imported = fuzzed('jwk_import', keys, async ({ base, changes }) => {
  const key = changed(good[base] ?? {}, changes)
  const problem = await problemOfKey(key)
  await thumbprintOfKey(key)
  if (changes.length === 0) assert.equal(problem, undefined)
  if (problem === undefined && key['kty'] === 'EC') assert.ok(isOnCurve(key))
})

const sets = fc.oneof(
  fc
    .array(keys, { maxLength: 22 })
    .map((all) => ({ keys: all.map(({ base, changes }) => changed(good[base] ?? {}, changes)) })),
  fc.record({ keys: fc.anything() }),
  fc.anything(),
)

const set = fuzzed('jwk_set', sets, (input) => {
  const read = v.safeParse(JwkSet, input)
  const list: unknown = readOr(() => (input as { keys: unknown }).keys, TypeError)?.value
  if (!read.success) return
  assert.ok(Array.isArray(list) && list.length <= 20 && list.every((each) => typeof each === 'object' && each !== null))
  for (const alg of ASSERTION_ALGORITHMS.keys()) {
    for (const key of fittingKeys(read.output.keys, alg, undefined)) assert.equal(problemOfMembers(key), undefined)
  }
})

export const KEY_READERS: readonly Fuzzed[] = [members, imported, set]
