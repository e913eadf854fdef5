/** The keys that sign our tokens, read from a setting and proven before the first token; and their public half. */

import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  exportJWK,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type JWK,
} from 'jose'
import * as v from 'valibot'
import { decodeBase64url } from '../lib/base64url.ts'
import { ALGORITHMS, algorithmOf } from './algorithms.ts'

const MIN_RSA_BITS = 2048
const MIN_RSA_EXPONENT = 65537

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  /** As published; holds no private member. */
  readonly publicJwk: JWK
}

export interface Keyring {
  /** The key that signs. */
  readonly signing: SigningKey
  /** All public keys, RFC 7517 §5. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

const Base64url = v.pipe(v.string(), v.regex(/^[\w-]+$/))

const PrivateJwk = v.looseObject({
  kty: v.string(),
  d: Base64url,
  ...v.entriesFromList(['n', 'e', 'x', 'y'], v.optional(Base64url)),
  ...v.entriesFromList(['crv', 'alg', 'use'], v.optional(v.string())),
  kid: v.optional(v.pipe(v.string(), v.nonEmpty())),
  key_ops: v.optional(v.array(v.string())),
})

const PrivateJwkSet = v.object({
  keys: v.pipe(v.array(PrivateJwk), v.minLength(1)),
})

/**
 * Reads a private JWK Set, whose first key signs, or one PKCS#8 PEM.
 *
 * @throws TypeError whose message says what is wrong and quotes nothing of the keys
 */
export async function readKeyring(text: string): Promise<Keyring> {
  const keys = await Promise.all((await readJwks(text)).map(toSigningKey))
  const [signing] = keys
  if (signing === undefined) throw new TypeError('holds no key')
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new TypeError('two keys have the same kid')
  return { signing, jwks: { keys: keys.map(({ publicJwk }) => publicJwk) } }
}

/** Makes a keyring of one new RSA key that nobody else has and that ends with the process. */
export async function generateKeyring(): Promise<Keyring> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: MIN_RSA_BITS, extractable: true })
  const signing = await toSigningKey(await exportJWK(privateKey))
  return { signing, jwks: { keys: [signing.publicJwk] } }
}

async function readJwks(text: string): Promise<JWK[]> {
  if (text.trimStart().startsWith('-----BEGIN')) return [await readPem(text)]
  try {
    return v.parse(PrivateJwkSet, JSON.parse(text)).keys as JWK[]
  } catch {
    // The cause would quote the setting.
    throw new TypeError('is neither a private JWK Set, {"keys":[…]}, nor a PKCS#8 PEM')
  }
}

async function readPem(pem: string): Promise<JWK> {
  for (const alg of ALGORITHMS.keys()) {
    const key = await importPKCS8(pem.trim(), alg, { extractable: true }).catch(() => undefined)
    if (key !== undefined) return exportJWK(key)
  }
  throw new TypeError('is a PEM, but no PKCS#8 private key ("BEGIN PRIVATE KEY") of a supported kind')
}

async function toSigningKey(jwk: JWK): Promise<SigningKey> {
  const alg = algorithmOf(jwk)
  if (alg === undefined) throw new TypeError('holds a key whose kty, crv and alg do not go together here')
  checkUse(jwk)
  if (jwk.kty === 'RSA') checkRsa(jwk)
  const publicMembers = publicHalf(jwk)
  const kid = jwk.kid ?? (await thumbprint(publicMembers))
  const publicJwk = { ...publicMembers, use: 'sig', alg, kid }
  const { use: _use, key_ops: _ops, ext: _ext, ...bare } = jwk
  const privateKey = await importKey(bare, alg)
  await prove(privateKey, publicJwk, alg)
  return { kid, alg, privateKey, publicJwk }
}

function checkUse({ use, key_ops }: JWK): void {
  if (use !== undefined && use !== 'sig') throw new TypeError('holds a key whose "use" is not "sig"')
  if (key_ops !== undefined && !key_ops.includes('sign'))
    throw new TypeError('holds a key whose "key_ops" lacks "sign"')
}

function checkRsa({ n = '', e = '' }: JWK): void {
  const bits = toInteger(n).toString(2).length
  if (bits < MIN_RSA_BITS) throw new TypeError(`holds an RSA key of ${bits} bits; ${MIN_RSA_BITS} is the least`)
  if (toInteger(e) < MIN_RSA_EXPONENT) throw new TypeError('holds an RSA key with an exponent below 65537')
}

function toInteger(base64url: string): bigint {
  return decodeBase64url(base64url).reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
}

function publicHalf({ kty, crv, x, y, n, e }: JWK): JWK {
  if (kty === 'RSA') return { kty, n: n ?? '', e: e ?? '' }
  return kty === 'EC' ? { kty, crv: crv ?? '', x: x ?? '', y: y ?? '' } : { kty: 'OKP', crv: crv ?? '', x: x ?? '' }
}

async function thumbprint(publicMembers: JWK): Promise<string> {
  try {
    return await calculateJwkThumbprint(publicMembers)
  } catch {
    throw new TypeError('holds a key that has no public half')
  }
}

async function importKey(jwk: JWK, alg: string): Promise<CryptoKey> {
  try {
    return (await importJWK(jwk, alg)) as CryptoKey
  } catch {
    throw new TypeError('holds a key that WebCrypto does not take; an RSA key needs p, q, dp, dq and qi')
  }
}

/** A signature made and verified once: halves that do not belong together are found here, not by a resource server. */
async function prove(privateKey: CryptoKey, publicJwk: JWK, alg: string): Promise<void> {
  try {
    const jws = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg }).sign(privateKey)
    await compactVerify(jws, await importJWK(publicJwk, alg))
  } catch {
    throw new TypeError('holds a key whose private and public members do not belong together')
  }
}
