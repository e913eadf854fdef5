/** Encryption of private keys at rest: each is wrapped by a key-encryption key, and bound to its issuer, `kid` and `alg`. */

import { decodeBase64url, encodeBase64url } from '../lib/base64url.ts'

const KEY_BYTES = 32
const IV_BYTES = 12
/** The key can be a URL, for a key management service that decrypts it. */
const ENTRY = /^([\w.-]{1,64}):([\w-]{43}|(?:vault|vault\+http|awskms):\/\/\S+)$/
const PROBLEM =
  'must be comma-separated pairs of an id and 32 octets in base64url, as in id:BASE64URL, or of an id and a URL'

/** The keys that encrypt private keys. */
export interface KeyEncryptionKeys {
  /** Id of the key that encrypts; all of them decrypt. */
  readonly first: string
  /** By id. AES-256-GCM with the usages `wrapKey` and `unwrapKey`. */
  readonly keys: ReadonlyMap<string, CryptoKey>
}

/** What an encrypted key belongs to. It cannot be decrypted as another one. */
export interface Belonging {
  readonly issuer: string
  readonly kid: string
  readonly alg: string
}

/** An encrypted private key, as stored. */
export interface WrappedKey {
  /** Id of the key-encryption key. */
  readonly kek: string
  /** 96 random bits, base64url. */
  readonly iv: string
  /** PKCS#8, encrypted, with the tag; base64url. */
  readonly data: string
}

/** Returns what is wrong with the value of KEY_ENCRYPTION_KEYS, undefined if nothing is. The text quotes no part of a key. */
export function keyEncryptionProblem(text: string): string | undefined {
  const ids = entriesOf(text).map((entry) => ENTRY.exec(entry)?.[1])
  if (ids.includes(undefined)) return PROBLEM
  return new Set(ids).size < ids.length ? 'has two keys of the same id' : undefined
}

/**
 * Reads `id:base64url(32 octets)`, comma-separated.
 *
 * @throws TypeError when it is malformed; the message quotes no part of a key
 */
export async function readKeyEncryptionKeys(text: string): Promise<KeyEncryptionKeys> {
  const problem = keyEncryptionProblem(text)
  if (problem !== undefined) throw new TypeError(problem)
  const pairs = entriesOf(text).map((entry) => entry.split(':') as [id: string, octets: string])
  const keys = await Promise.all(pairs.map(async ([id, octets]) => [id, await importKey(octets)] as const))
  return { first: pairs[0]?.[0] ?? '', keys: new Map(keys) }
}

function entriesOf(text: string): readonly string[] {
  return text.split(',').map((entry) => entry.trim())
}

async function importKey(octets: string): Promise<CryptoKey> {
  const raw = decodeBase64url(octets)
  if (raw.length !== KEY_BYTES) throw new TypeError(PROBLEM)
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
}

/**
 * Encrypts an extractable private key under the first key-encryption key.
 *
 * @throws TypeError when there is no such key
 */
export async function wrapPrivateKey(
  key: CryptoKey,
  belonging: Belonging,
  { first, keys }: KeyEncryptionKeys,
): Promise<WrappedKey> {
  const wrapping = keys.get(first)
  if (wrapping === undefined) throw new TypeError('there is no first key-encryption key')
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const data = await crypto.subtle.wrapKey('pkcs8', key, wrapping, gcm(iv, belonging))
  return { kek: first, iv: encodeBase64url(iv), data: encodeBase64url(new Uint8Array(data)) }
}

/**
 * Decrypts a private key. Returns undefined when its key-encryption key is missing or another one, or when it belongs to something else.
 *
 * @param algorithm that of its public key
 * @param isExtractable only for a key that is wrapped again at once
 */
export async function unwrapPrivateKey(
  { kek, iv, data }: WrappedKey,
  belonging: Belonging,
  { keys }: KeyEncryptionKeys,
  algorithm: CryptoKey['algorithm'],
  isExtractable = false,
): Promise<CryptoKey | undefined> {
  const wrapping = keys.get(kek)
  if (wrapping === undefined) return undefined
  try {
    const [octets, params] = [decodeBase64url(data), gcm(decodeBase64url(iv), belonging)]
    return await crypto.subtle.unwrapKey('pkcs8', octets, wrapping, params, algorithm, isExtractable, ['sign'])
  } catch {
    // WebCrypto does not say whether the tag or the content is wrong.
    return undefined
  }
}

/** The additional data is JSON, so that no two belongings have the same octets. */
function gcm(iv: Uint8Array<ArrayBuffer>, { issuer, kid, alg }: Belonging): AesGcmParams {
  const additionalData = new TextEncoder().encode(JSON.stringify(['edgemint keyset 1', issuer, kid, alg]))
  return { name: 'AES-GCM', iv, additionalData, tagLength: 128 }
}
