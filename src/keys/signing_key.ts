/** A key that signs tokens: imported, checked, and tested with a signature before the first token. */

import { base64url, type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { decodeBase64url } from '../lib/base64url.ts'
import { type Algorithm, algorithmOf } from './algorithms.ts'

const MIN_RSA_BITS = 2048
const MIN_RSA_EXPONENT = 65537

/**
 * A key that signs tokens. Nothing outside this folder sees its private half, so a signer in a key management service can
 * implement the same interface. A request waits for `sign`; when it rejects, the server answers `server_error`.
 *
 * @example
 * ```ts
 * const signature = await key.sign(new TextEncoder().encode(`${key.headerOf('at+jwt')}.${payload}`))
 * ```
 */
export interface SigningKey {
  readonly kid: string
  readonly alg: string
  /** Epoch seconds from which it signs; until then it is announced. */
  readonly signsFrom: number
  readonly publicKey: CryptoKey
  /** The published JWK, without private members. */
  readonly publicJwk: JWK
  /** Returns the encoded JOSE header for a `typ`, RFC 7515 §4. */
  headerOf(typ: string): string
  /** Returns the signature over a JWS signing input, RFC 7515 §5.1. */
  sign(input: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
}

/** A private key of SIGNING_KEYS: a JWK with the epoch seconds from which it signs; 0 or absent for always. */
export type PrivateJwk = JWK & { readonly signs_from?: number | undefined }

/**
 * Imports a private key. A key without `kid` is named by its thumbprint, RFC 7638.
 *
 * @throws TypeError when the key is unusable; the message quotes no part of it
 */
export async function toSigningKey({ signs_from = 0, ...jwk }: PrivateJwk): Promise<SigningKey> {
  checkUse(jwk)
  const { signing, ...published } = await toPublishedKey(jwk)
  const { use: _use, key_ops: _ops, ext: _ext, ...bare } = jwk
  const privateKey = await importKey(bare, published.alg)
  const publicKey = await importMatching(published.publicJwk, published.alg, privateKey, signing)
  return signerOf({ ...published, signsFrom: signs_from, publicKey }, (input) =>
    crypto.subtle.sign(signing, privateKey, input),
  )
}

/** Returns a key that signs by a function, which returns the signature of RFC 7518 §3 over its input. */
export function signerOf(
  key: Omit<SigningKey, 'headerOf' | 'sign'>,
  sign: (input: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>,
): SigningKey {
  return { ...key, headerOf: headers(key.alg, key.kid), sign: async (input) => new Uint8Array(await sign(input)) }
}

/** What is known of a key from its public members, and how WebCrypto verifies its signatures. */
export interface PublishedKey extends Pick<SigningKey, 'kid' | 'alg' | 'publicJwk'> {
  readonly signing: Algorithm['signing']
}

/**
 * Checks the public members of a key. A key without `kid` is named by its thumbprint, RFC 7638.
 *
 * @throws TypeError when the key is unusable; the message quotes no part of it
 */
export async function toPublishedKey(jwk: JWK): Promise<PublishedKey> {
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined)
    throw new TypeError('holds a key whose kty, crv and alg do not fit an algorithm of this server')
  const { alg, signing } = algorithm
  if (jwk.kty === 'RSA') checkRsa(jwk)
  const publicMembers = publicHalf(jwk)
  const kid = jwk.kid ?? (await thumbprint(publicMembers))
  return { kid, alg, signing, publicJwk: { ...publicMembers, use: 'sig', alg, kid } }
}

/** Returns a function that encodes the header of each `typ` once. */
function headers(alg: string, kid: string): (typ: string) => string {
  const encoded = new Map<string, string>()
  return (typ) => {
    const known = encoded.get(typ)
    if (known !== undefined) return known
    const header = base64url.encode(JSON.stringify({ alg, kid, typ }))
    encoded.set(typ, header)
    return header
  }
}

function checkUse({ use, key_ops }: JWK): void {
  if (use !== undefined && use !== 'sig') throw new TypeError('holds a key whose "use" is not "sig"')
  if (key_ops !== undefined && !key_ops.includes('sign'))
    throw new TypeError('holds a key whose "key_ops" lacks "sign"')
}

function checkRsa({ n = '', e = '' }: JWK): void {
  const bits = toInteger(n).toString(2).length
  if (bits < MIN_RSA_BITS) throw new TypeError(`holds an RSA key of ${bits} bits; ${MIN_RSA_BITS} is the minimum`)
  if (toInteger(e) < MIN_RSA_EXPONENT) throw new TypeError('holds an RSA key with an exponent below 65537')
}

function toInteger(base64url: string): bigint {
  return decodeBase64url(base64url).reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
}

/** Returns the public members of a key. */
export function publicHalf({ kty, crv, x, y, n, e }: JWK): JWK {
  if (kty === 'RSA') return { kty, n: n ?? '', e: e ?? '' }
  return kty === 'EC' ? { kty, crv: crv ?? '', x: x ?? '', y: y ?? '' } : { kty: 'OKP', crv: crv ?? '', x: x ?? '' }
}

async function thumbprint(publicMembers: JWK): Promise<string> {
  try {
    return await calculateJwkThumbprint(publicMembers)
  } catch {
    throw new TypeError('holds a key without its public members')
  }
}

async function importKey(jwk: JWK, alg: string): Promise<CryptoKey> {
  try {
    return (await importJWK(jwk, alg)) as CryptoKey
  } catch {
    throw new TypeError('holds a key that WebCrypto cannot import; an RSA key needs p, q, dp, dq and qi')
  }
}

/** Returns the public key. Signs and verifies once, so that mismatched halves are found here and not by a resource server. */
async function importMatching(
  publicJwk: JWK,
  alg: string,
  privateKey: CryptoKey,
  signing: Algorithm['signing'],
): Promise<CryptoKey> {
  const input = new Uint8Array(1)
  try {
    const publicKey = (await importJWK(publicJwk, alg)) as CryptoKey
    const signature = await crypto.subtle.sign(signing, privateKey, input)
    if (await crypto.subtle.verify(signing, publicKey, signature, input)) return publicKey
  } catch {
    // A half that cannot be used does not match either.
  }
  throw new TypeError('holds a key whose private and public members do not match')
}
