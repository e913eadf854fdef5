import assert from 'node:assert/strict'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { describe, test } from '#test'
import { ALGORITHMS } from '../../src/keys/algorithms.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { type PrivateJwk, toSigningKey } from '../../src/keys/signing_key.ts'
import { NOW } from '../support/world.ts'

const keys = new Map([...ALGORITHMS.keys()].map((alg) => [alg, generateKey(alg)]))
/** A private key without the members that `generateKey` adds. */
async function bare(alg: string): Promise<JWK> {
  const { alg: _alg, use: _use, kid: _kid, signs_from: _from, ...jwk } = (await keys.get(alg)) ?? {}
  return jwk as JWK
}
/** The base64url of a number with `bits` one bits, after leading zero octets. */
const ones = (bits: number, zeros = 0): string => {
  const octets = new Uint8Array(zeros + Math.ceil(bits / 8)).fill(255, zeros)
  octets[zeros] = 255 >> ((octets.length - zeros) * 8 - bits)
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

describe('toSigningKey', () => {
  const members = { RSA: ['kty', 'n', 'e'], EC: ['kty', 'crv', 'x', 'y'], OKP: ['kty', 'crv', 'x'] }
  for (const [alg, { kty }] of ALGORITHMS) {
    test(`publishes only the public members, use, alg and kid of an ${alg} key`, async () => {
      const jwk = { ...(await bare(alg)), alg, ext: true, key_ops: ['sign'], note: 'ours', x5u: 'https://keys.example' }
      const key = await toSigningKey(jwk)
      const kid = await calculateJwkThumbprint(jwk)
      const expected = Object.fromEntries(members[kty].map((name) => [name, jwk[name as keyof typeof jwk]]))
      assert.deepEqual(key.publicJwk, { ...expected, use: 'sig', alg, kid })
      assert.deepEqual([key.alg, key.kid, key.signsFrom], [alg, kid, 0])
      assert.ok(Object.values(key).every((member) => !(member instanceof CryptoKey) || member.type === 'public'))
      assert.equal(key.publicKey.type, 'public')
    })
  }

  test('keeps the kid and signs_from of a key', async () => {
    const jwk: PrivateJwk = { ...(await bare('ES256')), kid: 'mine', signs_from: NOW }
    const { kid, signsFrom, publicJwk } = await toSigningKey(jwk)
    assert.deepEqual([kid, signsFrom, publicJwk.kid, 'signs_from' in publicJwk], ['mine', NOW, 'mine', false])
  })

  const taken: readonly [name: string, members: Readonly<Record<string, unknown>>][] = [
    ['use sig', { use: 'sig' }],
    ['key_ops with sign', { key_ops: ['sign'] }],
    ['key_ops with sign among others', { key_ops: ['verify', 'sign'] }],
    ['both', { use: 'sig', key_ops: ['sign'] }],
  ]
  for (const [name, more] of taken) {
    test(`accepts a key of ${name}`, async () => {
      for (const alg of ['RS256', 'ES256', 'EdDSA']) {
        assert.equal((await toSigningKey({ ...(await bare(alg)), ...more } as JWK)).alg, alg)
      }
    })
  }

  const RSA = 'RS256'
  const refused: readonly [name: string, alg: string, members: Readonly<Record<string, unknown>>, message: RegExp][] = [
    ['use enc', 'ES256', { use: 'enc' }, /"use" is not "sig"/],
    ['an empty use', 'ES256', { use: '' }, /"use" is not "sig"/],
    ['use in another case', 'ES256', { use: 'SIG' }, /"use" is not "sig"/],
    ['no key_ops', 'ES256', { key_ops: [] }, /"key_ops" lacks "sign"/],
    ['key_ops to verify', 'ES256', { key_ops: ['verify'] }, /"key_ops" lacks "sign"/],
    ['use sig and other key_ops', 'ES256', { use: 'sig', key_ops: ['decrypt'] }, /"key_ops" lacks "sign"/],
    ['2047 bits', RSA, { n: ones(2047) }, /^holds an RSA key of 2047 bits; 2048 is the minimum$/],
    ['1024 bits', RSA, { n: ones(1024) }, /RSA key of 1024 bits/],
    ['2047 bits behind an octet of zero', RSA, { n: ones(2047, 1) }, /RSA key of 2047 bits/],
    ['2048 bits that are not a modulus', RSA, { n: ones(2048) }, /cannot import|do not match/],
    ['no modulus', RSA, { n: undefined }, /RSA key of 1 bits/],
    ['exponent 1', RSA, { e: 'AQ' }, /exponent below 65537/],
    ['exponent 3', RSA, { e: 'Aw' }, /exponent below 65537/],
    ['exponent 65535', RSA, { e: ones(16) }, /exponent below 65537/],
    ['exponent 65536', RSA, { e: 'AQAA' }, /exponent below 65537/],
    ['exponent 65539', RSA, { e: 'AQAD' }, /cannot import|do not match/],
    ['no exponent', RSA, { e: undefined }, /exponent below 65537/],
    ['no x', 'ES256', { x: undefined }, /without its public members/],
    ['no y', 'ES256', { y: undefined }, /without its public members/],
    ['no x', 'EdDSA', { x: undefined }, /without its public members/],
    ['another curve', 'ES256', { crv: 'P-384' }, /cannot import|do not match/],
    ['another type', 'ES256', { kty: 'RSA' }, /do not fit an algorithm/],
    ['another alg', 'ES256', { alg: 'RS256' }, /do not fit an algorithm/],
  ]
  for (const [name, alg, more, message] of refused) {
    test(`refuses an ${alg} key with ${name}`, async () => {
      const jwk = { ...(await bare(alg)), ...more } as JWK
      await assert.rejects(toSigningKey(jwk), (error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, message)
        assert.equal(error.cause, undefined)
        assert.ok(!error.message.includes(jwk.d ?? ''))
        return true
      })
    })
  }

  for (const [alg, names] of [
    ['RS256', ['n']],
    ['ES256', ['x', 'y']],
    ['ES384', ['x', 'y']],
    ['EdDSA', ['x']],
  ] as const) {
    test(`refuses the public half of another ${alg} key`, async () => {
      const other: JWK = await generateKey(alg)
      const mixed = Object.fromEntries(names.map((name) => [name, other[name]]))
      await assert.rejects(toSigningKey({ ...(await bare(alg)), ...mixed }), /cannot import|do not match/)
    })
  }
})
