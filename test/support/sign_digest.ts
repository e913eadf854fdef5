/** Signatures over digests, which WebCrypto does not make: what a key management service does with `prehashed` or `MessageType: DIGEST`. */

import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { decodeBase64url } from '../../src/lib/base64url.ts'

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
}
/** DigestInfo of SHA-256, RFC 8017 §9.2. */
const SHA256_INFO = Uint8Array.from([
  0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20,
])

interface Point {
  readonly x: bigint
  readonly y: bigint
}

export interface DigestKey {
  readonly publicJwk: JWK
  /** Returns r and s of 32 octets each (ES256), or the signature (RS256). */
  sign(digest: Uint8Array): Uint8Array<ArrayBuffer>
}

/** Generates a key for ES256 or RS256. */
export async function digestKey(alg: string): Promise<DigestKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const { d = '', ...jwk } = await exportJWK(privateKey)
  const secret = toInteger(decodeBase64url(d))
  if (jwk.kty === 'RSA') {
    const { kty, n = '', e = '' } = jwk
    return { publicJwk: { kty, n, e }, sign: (digest) => signRsa(digest, secret, toInteger(decodeBase64url(n))) }
  }
  return { publicJwk: jwk, sign: (digest) => signEcdsa(digest, secret) }
}

/** RSASSA-PKCS1-v1_5, RFC 8017 §8.2.1. */
function signRsa(digest: Uint8Array, d: bigint, n: bigint): Uint8Array<ArrayBuffer> {
  const size = n.toString(16).length / 2
  const padding = new Uint8Array(size - SHA256_INFO.length - digest.length - 3).fill(0xff)
  const message = Uint8Array.from([0, 1, ...padding, 0, ...SHA256_INFO, ...digest])
  return toOctets(power(toInteger(message), d, n), size)
}

/** ECDSA on P-256, FIPS 186-5 §6.4.1. */
function signEcdsa(digest: Uint8Array, d: bigint): Uint8Array<ArrayBuffer> {
  const k = (toInteger(crypto.getRandomValues(new Uint8Array(32))) % (N - 1n)) + 1n
  const r = (multiply(k)?.x ?? 0n) % N
  const s = modulo(power(k, N - 2n, N) * (toInteger(digest) + r * d), N)
  return Uint8Array.from([...toOctets(r, 32), ...toOctets(s, 32)])
}

function multiply(k: bigint): Point | undefined {
  let [sum, addend]: [Point | undefined, Point | undefined] = [undefined, G]
  for (let rest = k; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, addend)
    addend = add(addend, addend)
  }
  return sum
}

function add(one: Point | undefined, other: Point | undefined): Point | undefined {
  if (one === undefined || other === undefined) return one ?? other
  if (one.x === other.x && modulo(one.y + other.y, P) === 0n) return undefined
  const slope =
    one.x === other.x
      ? (3n * one.x * one.x - 3n) * power(2n * one.y, P - 2n, P)
      : (other.y - one.y) * power(modulo(other.x - one.x, P), P - 2n, P)
  const x = modulo(slope * slope - one.x - other.x, P)
  return { x, y: modulo(slope * (one.x - x) - one.y, P) }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, modulo(base, modulus)]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

function modulo(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus
}

function toInteger(octets: Uint8Array): bigint {
  return octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
}

function toOctets(value: bigint, size: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16).padStart(size * 2, '0')
  return Uint8Array.from({ length: size }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16))
}
