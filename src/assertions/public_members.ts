/** Validation of the members of a public JWK, the same for keys that are registered, published or sent in a DPoP proof. */

import { decodeBase64url } from '../lib/base64url.ts'
import type { Jwk } from '../types.ts'

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Length of a coordinate by `kty` and `crv`, RFC 7518 §6.2.1.2 and RFC 8037 §2. */
const COORDINATE_BYTES: ReadonlyMap<string, number> = new Map([
  ['EC P-256', 32],
  ['EC P-384', 48],
  ['EC P-521', 66],
  ['OKP Ed25519', 32],
])

/** The field of Curve25519, RFC 8032 §5.1. */
const P = 2n ** 255n - 19n

/** `y` of two Ed25519 points of order 8. The other two have its negative. */
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n

/** `y` of the eight points of small order. Anyone can forge signatures for such a key, and Deno and Bun accept them. */
const SMALL_ORDER: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, ORDER_8, P - ORDER_8])

const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192

/** RFC 8017 §3.1. With an exponent of 1, every number is its own signature, and some runtimes accept such a key. */
const MIN_RSA_EXPONENT = 3n

/** The largest exponent that every runtime accepts. A longer one makes each verification slower. */
const MAX_RSA_EXPONENT_BITS = 33

/** Returns whether a JWK holds private or symmetric key material. */
export function isPrivate(jwk: Jwk): boolean {
  return PRIVATE_MEMBERS.some((member) => member in jwk)
}

/**
 * Returns a description of what is wrong with the members of a public JWK, or undefined. Each key has exactly one accepted
 * form, so it has exactly one thumbprint. The import of the key checks that a point is on its curve.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1 RFC 7518 §6.2.1}, {@link https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1 RFC 7518 §6.3.1}, {@link https://www.rfc-editor.org/rfc/rfc8037#section-2 RFC 8037 §2}
 */
export function problemOfMembers(jwk: Jwk): string | undefined {
  if (isPrivate(jwk)) return 'holds a private or symmetric key'
  try {
    return jwk['kty'] === 'RSA' ? problemOfRsa(jwk) : problemOfPoint(jwk)
  } catch {
    return 'holds a key with a member that is not base64url without padding'
  }
}

function problemOfRsa({ n, e }: Jwk): string | undefined {
  const modulus = decodeMember(n)
  const exponent = decodeMember(e)
  // RFC 7518 §2, Base64urlUInt: the fewest octets.
  if (modulus[0] === 0 || exponent[0] === 0) return 'holds an RSA key with a leading zero in n or e'
  const bits = bitsOf(modulus)
  if (bits < MIN_RSA_BITS) return `holds an RSA key of fewer than ${MIN_RSA_BITS} bits`
  if (bits > MAX_RSA_BITS) return `holds an RSA key of more than ${MAX_RSA_BITS} bits`
  const isOdd = (exponent.at(-1) ?? 0) % 2 === 1
  const isInBounds = bitsOf(exponent) <= MAX_RSA_EXPONENT_BITS && integerOf(exponent) >= MIN_RSA_EXPONENT
  return isOdd && isInBounds
    ? undefined
    : `holds an RSA key whose exponent is not an odd number of at least 3 and at most ${MAX_RSA_EXPONENT_BITS} bits`
}

function problemOfPoint({ kty, crv, x, y }: Jwk): string | undefined {
  const bytes = COORDINATE_BYTES.get(`${kty} ${crv}`)
  if (bytes === undefined) return 'holds a key of a type or curve that this server does not use'
  const coordinates = kty === 'EC' ? [x, y] : [x]
  const octets = coordinates.map(decodeMember)
  if (octets.some(({ length }) => length !== bytes)) return 'holds a key with a coordinate of the wrong length'
  const isUsable = kty === 'EC' || octets.every(isStrongEd25519)
  return isUsable ? undefined : 'holds an Ed25519 key of small order, or in a non-canonical form'
}

/** RFC 8032 §5.1.2: `y` is little-endian, and the highest bit is the sign of `x`. */
function isStrongEd25519(octets: Uint8Array): boolean {
  const y = BigInt.asUintN(255, integerOf(octets.toReversed()))
  return y < P && !SMALL_ORDER.has(y)
}

function decodeMember(member: unknown): Uint8Array {
  if (typeof member !== 'string') throw new TypeError('not a string')
  return decodeBase64url(member)
}

/** Returns the bit length of a big-endian integer without leading zero octets. */
function bitsOf(octets: Uint8Array): number {
  return octets.length * 8 - (Math.clz32(octets[0] ?? 0) - 24)
}

function integerOf(octets: Uint8Array): bigint {
  return octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
}
