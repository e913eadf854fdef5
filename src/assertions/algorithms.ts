/** The asymmetric JWS algorithms that assertions may be signed with, each with its key type. */

interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
}

/** By `alg`, RFC 7518 §3.1, RFC 8037 §3.1 and RFC 9864. */
export const ASSERTION_ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', { kty: 'RSA' }],
  ['RS384', { kty: 'RSA' }],
  ['RS512', { kty: 'RSA' }],
  ['PS256', { kty: 'RSA' }],
  ['PS384', { kty: 'RSA' }],
  ['PS512', { kty: 'RSA' }],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519' }],
])

/** Returns whether two values of `alg` name the same algorithm. EdDSA is always Ed25519 here, its name in RFC 9864 §2.2. */
export function isSameAlgorithm(one: unknown, other: unknown): boolean {
  const nameOf = (alg: unknown): unknown => (alg === 'EdDSA' ? 'Ed25519' : alg)
  return nameOf(one) === nameOf(other)
}
