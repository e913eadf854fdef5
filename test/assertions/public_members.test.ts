import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { fittingKeys } from '../../src/assertions/fitting_keys.ts'
import { problemOfKey } from '../../src/assertions/public_key.ts'
import { isPrivate, problemOfMembers } from '../../src/assertions/public_members.ts'
import { decodeBase64url, encodeBase64url } from '../../src/lib/base64url.ts'
import type { Jwk } from '../../src/types.ts'
import { EXPONENTS, fromHex, SMALL_ORDER_POINTS } from '../support/weak_keys.ts'

async function make(alg: string): Promise<Jwk> {
  const { publicKey } = await generateKeyPair(alg, { extractable: true })
  return (await exportJWK(publicKey)) as Jwk
}
const [rsa, p256, p384, p521, ed25519] = await Promise.all(['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'].map(make))
assert.ok(rsa && p256 && p384 && p521 && ed25519)

const good: readonly [name: string, jwk: Jwk, alg: string][] = [
  ['RSA', rsa, 'RS256'],
  ['RSA', rsa, 'PS512'],
  ['P-256', p256, 'ES256'],
  ['P-384', p384, 'ES384'],
  ['P-521', p521, 'ES512'],
  ['Ed25519', ed25519, 'EdDSA'],
  ['Ed25519', ed25519, 'Ed25519'],
]

/** A modulus of the given length; it need not belong to a real key. */
function modulus(bits: number): string {
  const octets = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
  octets[0] = 0xff >> (octets.length * 8 - bits)
  return encodeBase64url(octets)
}

/** Other spellings of a member that some decoders decode to the same octets. */
function spellings(text: string): readonly string[] {
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=')
  return [
    ...(padded === text ? [`${text}====`] : [padded, `${text}=`]),
    ...[` ${text}`, `${text} `, `${text.slice(0, 2)}\n${text.slice(2)}`, `${text}.`, `${text}!`],
    ...(/[-_]/.test(text) ? [text.replaceAll('-', '+').replaceAll('_', '/')] : []),
  ]
}

describe('a public key', () => {
  for (const [name, jwk, alg] of good) {
    test(`${name} fits ${alg} and can be registered`, async () => {
      assert.equal(problemOfMembers(jwk), undefined)
      assert.deepEqual(fittingKeys([jwk], alg, undefined), [jwk])
      assert.equal(await problemOfKey(jwk), undefined)
    })

    test(`${name} has one spelling for ${alg}: others are refused at registration and at use`, async () => {
      for (const member of ['n', 'e', 'x', 'y'].filter((each) => each in jwk)) {
        const wrong = [...spellings(String(jwk[member])), '', undefined, null, 7, [jwk[member]], `AA${jwk[member]}`]
        for (const value of wrong) {
          const changed = { ...jwk, [member]: value }
          assert.deepEqual(fittingKeys([changed], alg, undefined), [], `${member}: ${value}`)
          assert.notEqual(await problemOfKey(changed), undefined, `${member}: ${value}`)
        }
      }
    })
  }

  test('refuses a leading zero octet in every member', () => {
    for (const [name, jwk, alg] of good) {
      for (const member of ['n', 'e', 'x', 'y'].filter((each) => each in jwk)) {
        const octets = decodeBase64url(String(jwk[member]))
        const padded = { ...jwk, [member]: encodeBase64url(Uint8Array.from([0, ...octets])) }
        const cut = { ...jwk, [member]: encodeBase64url(octets.subarray(1)) }
        assert.deepEqual(fittingKeys([padded], alg, undefined), [], `${name} ${member}`)
        if (member !== 'n') assert.deepEqual(fittingKeys([cut], alg, undefined), [], `${name} ${member}`)
      }
    }
  })

  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
    test(`with ${member} is private, and neither fits nor can be registered`, async () => {
      for (const [, jwk, alg] of good) {
        const changed = { ...jwk, [member]: 'AAAA' }
        assert.deepEqual([isPrivate(jwk), isPrivate(changed)], [false, true])
        assert.deepEqual(fittingKeys([changed], alg, undefined), [])
        assert.equal(await problemOfKey(changed), 'holds a private or symmetric key')
      }
    })
  }

  test('an RSA modulus has 2048 to 8192 bits', () => {
    for (const [bits, isGood] of [
      [1024, false],
      [2040, false],
      [2047, false],
      [2048, true],
      [2049, true],
      [3072, true],
      [8192, true],
      [8193, false],
      [16_384, false],
    ] as const) {
      assert.equal(problemOfMembers({ kty: 'RSA', e: 'AQAB', n: modulus(bits) }) === undefined, isGood, `${bits}`)
    }
  })

  for (const [text, isGood] of EXPONENTS) {
    test(`an RSA exponent ${JSON.stringify(text)} is ${isGood ? 'accepted' : 'refused'}`, async () => {
      const changed = { ...rsa, e: text }
      assert.equal(problemOfMembers(changed) === undefined, isGood)
      assert.equal(fittingKeys([changed], 'RS256', undefined).length, isGood ? 1 : 0)
      if (!isGood) assert.notEqual(await problemOfKey(changed), undefined)
    })
  }

  test('an RSA exponent as long as the modulus is refused', () => {
    assert.deepEqual(fittingKeys([{ ...rsa, e: modulus(2048) }], 'RS256', undefined), [])
  })

  for (const hex of SMALL_ORDER_POINTS) {
    test(`an Ed25519 point of small order is refused: ${hex}`, async () => {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(fromHex(hex)) }
      assert.deepEqual(fittingKeys([jwk], 'EdDSA', undefined), [])
      assert.match((await problemOfKey(jwk)) ?? '', /small order/)
    })
  }

  test('an Ed25519 point is accepted with either sign', () => {
    const octets = decodeBase64url(String(ed25519['x']))
    octets[31] = (octets[31] ?? 0) ^ 0x80
    assert.equal(problemOfMembers({ ...ed25519, x: encodeBase64url(octets) }), undefined)
  })

  test('is used for its own algorithm, curve, use and operation only', () => {
    const cases: readonly [more: Jwk, jwk: Jwk, alg: string, fits: boolean][] = [
      [{}, p384, 'ES256', false],
      [{}, p256, 'ES384', false],
      [{}, rsa, 'ES256', false],
      [{}, p256, 'RS256', false],
      [{}, p256, 'HS256', false],
      [{}, p256, 'none', false],
      [{ crv: 'secp256k1' }, p256, 'ES256', false],
      [{ crv: 'Ed448' }, ed25519, 'EdDSA', false],
      [{ crv: 'X25519' }, ed25519, 'EdDSA', false],
      [{ kty: 'ec' }, p256, 'ES256', false],
      [{ alg: 'ES256' }, p256, 'ES256', true],
      [{ alg: 'RS256' }, rsa, 'PS256', false],
      [{ alg: 'EdDSA' }, ed25519, 'Ed25519', true],
      [{ alg: 'Ed25519' }, ed25519, 'EdDSA', true],
      [{ alg: 'Ed448' }, ed25519, 'EdDSA', false],
      [{ use: 'sig' }, p256, 'ES256', true],
      [{ use: 'enc' }, p256, 'ES256', false],
      [{ key_ops: ['sign', 'verify'] }, p256, 'ES256', true],
      [{ key_ops: [] }, p256, 'ES256', false],
      [{ key_ops: ['sign'] }, p256, 'ES256', false],
      [{ key_ops: 'verify' }, p256, 'ES256', false],
    ]
    for (const [more, jwk, alg, fits] of cases) {
      assert.equal(
        fittingKeys([{ ...jwk, ...more }], alg, undefined).length === 1,
        fits,
        `${JSON.stringify(more)} ${alg}`,
      )
    }
  })

  test('is found by its kid when the header names one, even among several keys of that kid', () => {
    const keys = ['a', 'b', 'a'].map((kid) => ({ ...p256, kid }))
    assert.deepEqual(fittingKeys(keys, 'ES256', 'a'), [keys[0], keys[2]])
    assert.deepEqual(fittingKeys(keys, 'ES256', 'c'), [])
    assert.deepEqual(fittingKeys(keys, 'ES256', undefined), keys)
    assert.deepEqual(fittingKeys([p256], 'ES256', 'a'), [])
  })

  test('that has valid members but cannot be imported cannot be registered', async () => {
    for (const jwk of [p256, p384, p521]) {
      assert.equal(await problemOfKey({ ...jwk, x: jwk['y'] }), 'holds a key that cannot be imported')
    }
    assert.match((await problemOfKey({ kty: 'EC', crv: 'secp256k1' })) ?? '', /type or curve/)
    assert.match((await problemOfKey({})) ?? '', /type or curve/)
    assert.match((await problemOfKey({ ...p256, alg: 'RS256' })) ?? '', /fits no algorithm/)
  })
})
