/** The JWS algorithms that this server signs with, one per row of the table. */

import type { JWK } from 'jose'

export interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
  /** First argument of `crypto.subtle.sign`. */
  readonly signing: Exclude<Parameters<SubtleCrypto['sign']>[0], string>
}

/** By `alg`, RFC 7518 §3.1 and RFC 8037 §3.1. A key without `alg` uses the first algorithm that fits its type. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', { kty: 'RSA', signing: { name: 'RSASSA-PKCS1-v1_5' } }],
  ['PS256', { kty: 'RSA', signing: { name: 'RSA-PSS', saltLength: 32 } }],
  ['ES256', { kty: 'EC', crv: 'P-256', signing: { name: 'ECDSA', hash: 'SHA-256' } }],
  ['ES384', { kty: 'EC', crv: 'P-384', signing: { name: 'ECDSA', hash: 'SHA-384' } }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', signing: { name: 'Ed25519' } }],
])

/** Returns the algorithm of a key: its own `alg` if that fits the key's type, or else the default of that type; undefined if none fits. */
export function algorithmOf(jwk: JWK): { readonly alg: string; readonly signing: Algorithm['signing'] } | undefined {
  for (const [alg, { kty, crv, signing }] of ALGORITHMS) {
    if (jwk.kty === kty && jwk.crv === crv && (jwk.alg === undefined || jwk.alg === alg)) return { alg, signing }
  }
  return undefined
}
