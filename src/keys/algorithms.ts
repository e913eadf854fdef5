/** The JWS algorithms that our tokens can be signed with. An algorithm is a row of the table. */

import type { JWK } from 'jose'

interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
}

/** By `alg`, RFC 7518 §3.1 and RFC 8037 §3.1. The first that fits a key is its default. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', { kty: 'RSA' }],
  ['PS256', { kty: 'RSA' }],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
])

/** Gives the `alg` of a key: its own if it fits the key's type, else the default of that type; undefined if none. */
export function algorithmOf(jwk: JWK): string | undefined {
  for (const [alg, { kty, crv }] of ALGORITHMS) {
    if (jwk.kty === kty && jwk.crv === crv && (jwk.alg === undefined || jwk.alg === alg)) return alg
  }
  return undefined
}
