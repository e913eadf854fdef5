import assert from 'node:assert/strict'
import type { JWK } from 'jose'
import { describe, test } from '#test'
import { ALGORITHMS, algorithmOf } from '../../src/keys/algorithms.ts'

describe('algorithmOf', () => {
  const rows: readonly [jwk: JWK, alg: string | undefined][] = [
    [{ kty: 'RSA' }, 'RS256'],
    [{ kty: 'RSA', alg: 'RS256' }, 'RS256'],
    [{ kty: 'RSA', alg: 'PS256' }, 'PS256'],
    [{ kty: 'RSA', alg: 'RS512' }, undefined],
    [{ kty: 'RSA', alg: 'none' }, undefined],
    [{ kty: 'RSA', alg: '' }, undefined],
    [{ kty: 'RSA', alg: 'rs256' }, undefined],
    [{ kty: 'RSA', crv: 'P-256' }, undefined],
    [{ kty: 'EC', crv: 'P-256' }, 'ES256'],
    [{ kty: 'EC', crv: 'P-256', alg: 'ES256' }, 'ES256'],
    [{ kty: 'EC', crv: 'P-256', alg: 'ES384' }, undefined],
    [{ kty: 'EC', crv: 'P-384' }, 'ES384'],
    [{ kty: 'EC', crv: 'P-384', alg: 'ES256' }, undefined],
    [{ kty: 'EC', crv: 'P-521' }, undefined],
    [{ kty: 'EC', crv: 'secp256k1' }, undefined],
    [{ kty: 'EC' }, undefined],
    [{ kty: 'EC', crv: 'Ed25519' }, undefined],
    [{ kty: 'OKP', crv: 'Ed25519' }, 'EdDSA'],
    [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }, 'EdDSA'],
    [{ kty: 'OKP', crv: 'Ed448' }, undefined],
    [{ kty: 'OKP', crv: 'X25519' }, undefined],
    [{ kty: 'OKP', crv: 'P-256' }, undefined],
    [{ kty: 'oct' }, undefined],
    [{ kty: 'oct', alg: 'HS256' }, undefined],
    [{}, undefined],
  ]
  for (const [jwk, alg] of rows) {
    test(`of ${JSON.stringify(jwk)} is ${alg}`, () => {
      const found = algorithmOf(jwk)
      assert.equal(found?.alg, alg)
      if (alg !== undefined) assert.equal(found?.signing, ALGORITHMS.get(alg)?.signing)
    })
  }
})
