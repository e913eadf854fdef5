import assert from 'node:assert/strict'
import fc from 'fast-check'
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose'
import { describe, test } from '#test'
import { ALGORITHMS } from '../../src/keys/algorithms.ts'
import { generateKey, type KeyState, keyState, type Placed, readKeySet } from '../../src/keys/key_set.ts'
import { NOW } from '../support/world.ts'

const RETIRED_SECONDS = 1860
const key = (alg: string, signsFrom: number): Placed => ({ alg, signsFrom })

describe('keyState', () => {
  /** The keys of a set, and the state of each at some instants. */
  const sets: readonly [name: string, keys: Placed[], ...rows: [now: number, states: KeyState[]][]][] = [
    ['a key alone', [key('a', 0)], [0, ['signing']], [NOW, ['signing']], [NOW * 2, ['signing']]],
    [
      'a key alone, of a time',
      [key('a', NOW)],
      [NOW - 1, ['announced']],
      [NOW, ['signing']],
      [NOW + RETIRED_SECONDS * 9, ['signing']],
    ],
    [
      'a key and the next',
      [key('a', NOW), key('a', 0)],
      [NOW - 1, ['announced', 'signing']],
      [NOW, ['signing', 'retired']],
      [NOW + RETIRED_SECONDS, ['signing', 'retired']],
      [NOW + RETIRED_SECONDS + 1, ['signing', 'expired']],
    ],
    [
      'the next behind its predecessor',
      [key('a', 0), key('a', NOW)],
      [NOW - 1, ['signing', 'announced']],
      [NOW, ['retired', 'signing']],
      [NOW + RETIRED_SECONDS + 1, ['expired', 'signing']],
    ],
    [
      'three in a row: each retires when its own successor signs',
      [key('a', NOW + 5000), key('a', NOW), key('a', 0)],
      [NOW, ['announced', 'signing', 'retired']],
      [NOW + 4999, ['announced', 'signing', 'expired']],
      [NOW + 5000, ['signing', 'retired', 'expired']],
      [NOW + 5000 + RETIRED_SECONDS, ['signing', 'retired', 'expired']],
      [NOW + 5000 + RETIRED_SECONDS + 1, ['signing', 'expired', 'expired']],
    ],
    [
      'three in a row, close together',
      [key('a', 0), key('a', NOW), key('a', NOW + 10)],
      [NOW + 10, ['retired', 'retired', 'signing']],
      [NOW + RETIRED_SECONDS, ['retired', 'retired', 'signing']],
      [NOW + RETIRED_SECONDS + 1, ['expired', 'retired', 'signing']],
      [NOW + RETIRED_SECONDS + 10, ['expired', 'retired', 'signing']],
      [NOW + RETIRED_SECONDS + 11, ['expired', 'expired', 'signing']],
    ],
    [
      'two of one time: the first signs, the other stays published',
      [key('a', NOW), key('a', NOW)],
      [NOW - 1, ['announced', 'announced']],
      [NOW, ['signing', 'retired']],
      [NOW * 2, ['signing', 'retired']],
    ],
    [
      'two without a time, and a successor',
      [key('a', 0), key('a', 0), key('a', NOW)],
      [NOW - 1, ['signing', 'retired', 'announced']],
      [NOW + RETIRED_SECONDS, ['retired', 'retired', 'signing']],
      [NOW + RETIRED_SECONDS + 1, ['expired', 'expired', 'signing']],
    ],
    [
      'keys of two algorithms do not follow each other',
      [key('a', NOW), key('b', 0), key('b', NOW - 9000)],
      [NOW - 9001, ['announced', 'signing', 'announced']],
      [NOW - 1, ['announced', 'expired', 'signing']],
      [NOW, ['signing', 'expired', 'signing']],
    ],
  ]
  for (const [name, keys, ...rows] of sets) {
    for (const [now, states] of rows) {
      test(`${name}, ${now - NOW} s from the change`, () => {
        assert.deepEqual(
          keys.map((each) => keyState(each, keys, now, RETIRED_SECONDS)),
          states,
        )
      })
    }
  }

  test('a retired key without a later successor stays published for any retiredSeconds', () => {
    const keys = [key('a', 0), key('a', 0)]
    for (const seconds of [0, RETIRED_SECONDS, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(
        keys.map((each) => keyState(each, keys, NOW, seconds)),
        ['signing', 'retired'],
      )
    }
  })

  test('exactly one started key of an algorithm signs, and an expired key never returns', () => {
    const placed = fc.record({ alg: fc.constantFrom('a', 'b'), signsFrom: fc.integer({ min: 0, max: 20 }) })
    fc.assert(
      fc.property(fc.array(placed, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 5 }), (keys, seconds) => {
        const expired = new Set<Placed>()
        for (let now = 0; now < 40; now++) {
          for (const alg of new Set(keys.map((each) => each.alg))) {
            const begun = keys.filter((each) => each.alg === alg && each.signsFrom <= now)
            const signing = keys.filter((each) => each.alg === alg && keyState(each, keys, now, seconds) === 'signing')
            assert.equal(signing.length, begun.length === 0 ? 0 : 1)
            assert.ok(begun.every(({ signsFrom }) => signsFrom <= (signing[0]?.signsFrom ?? 0)))
          }
          for (const each of keys) {
            const isExpired = keyState(each, keys, now, seconds) === 'expired'
            assert.ok(isExpired || !expired.has(each))
            if (isExpired) expired.add(each)
          }
        }
      }),
    )
  })
})

describe('readKeySet', () => {
  const set = (members: object) => JSON.stringify({ keys: [{ kty: 'EC', d: 'AA', ...members }] })
  const taken: readonly object[] = [
    {},
    { signs_from: 0 },
    { signs_from: NOW },
    { n: 'A-_9', e: 'AQAB', x: 'a', y: 'b', crv: 'P-256', alg: 'ES256', use: 'sig', kid: 'k', key_ops: [], ext: true },
  ]
  for (const members of taken) {
    test(`takes ${JSON.stringify(members)} as it is`, async () => {
      assert.deepEqual(await readKeySet(set(members)), [{ kty: 'EC', d: 'AA', ...members }])
    })
  }

  const base64url = ['d', 'n', 'e', 'x', 'y'].flatMap((name) =>
    ['', 'a b', 'a+b', 'a/b', 'a=', 'é', 7].map((value) => ({ [name]: value })),
  )
  const refused: readonly object[] = [
    ...base64url,
    ...['crv', 'alg', 'use', 'kid', 'kty'].map((name) => ({ [name]: 7 })),
    { d: undefined },
    { kty: undefined },
    { kid: '' },
    { key_ops: 'sign' },
    { key_ops: [7] },
    ...[-1, 0.5, '0', true].map((signs_from) => ({ signs_from })),
  ]
  const isRefused = (error: unknown) =>
    error instanceof TypeError &&
    error.cause === undefined &&
    /^(is neither a private JWK Set|holds no key$|holds a public key)/.test(error.message)
  for (const members of refused) {
    test(`refuses ${JSON.stringify(members)}`, () => assert.rejects(readKeySet(set(members)), isRefused))
  }

  for (const text of ['', '[]', '{}', '{"keys":{}}', '{"keys":[]}', '{"keys":["a"]}', '{"keys":[{}]}', 'null']) {
    test(`refuses ${text || 'nothing'}`, () => assert.rejects(readKeySet(text), isRefused))
  }

  test('refuses a set with a key that is not private', async () => {
    const jwk = await generateKey('ES256')
    const { d: _d, ...publicJwk } = jwk
    await assert.rejects(readKeySet(JSON.stringify({ keys: [jwk, publicJwk] })), isRefused)
  })

  for (const [alg, kty, crv] of [
    ['RS256', 'RSA', undefined],
    ['ES256', 'EC', 'P-256'],
    ['ES384', 'EC', 'P-384'],
    ['EdDSA', 'OKP', 'Ed25519'],
  ] as const) {
    test(`reads a PEM of ${crv ?? kty}, with blank lines around it`, async () => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true })
      const pem = await exportPKCS8(privateKey)
      const expected = await exportJWK(privateKey)
      for (const text of [pem, pem.trim(), `\n \n${pem}\n\n`]) {
        const [jwk, ...more] = await readKeySet(text)
        assert.deepEqual([jwk?.kty, jwk?.crv, jwk?.d, more], [kty, crv, expected.d, []])
        assert.equal(jwk?.alg, undefined)
      }
    })
  }

  for (const label of ['RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'PRIVATE KEY', 'CERTIFICATE']) {
    test(`refuses a PEM of ${label} that holds no key, and quotes nothing of it`, async () => {
      await assert.rejects(readKeySet(`-----BEGIN ${label}-----\naHVzaA==\n-----END ${label}-----`), (error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, /^is a PEM, but not a PKCS#8 private key/)
        assert.equal(error.cause, undefined)
        return true
      })
    })
  }
})

describe('generateKey', () => {
  for (const alg of ALGORITHMS.keys()) {
    test(`makes a key for ${alg}, named by its thumbprint`, async () => {
      const jwk = await generateKey(alg)
      assert.deepEqual([jwk.alg, jwk.use, jwk.kid], [alg, 'sig', await calculateJwkThumbprint(jwk as JWK)])
      assert.equal(typeof jwk.d, 'string')
      assert.ok(!('signs_from' in jwk))
      if (alg.endsWith('S256') && !alg.startsWith('E')) assert.equal(jwk.n?.length, 342, '2048 bits')
    })
  }

  test('sets signs_from only when it is later than 0', async () => {
    assert.equal((await generateKey('ES256', 1)).signs_from, 1)
    assert.equal((await generateKey('ES256', NOW)).signs_from, NOW)
    assert.ok(!('signs_from' in (await generateKey('ES256', 0))))
  })
})
