/** The record of an issuer's rotated keys: public halves in the clear, private halves encrypted. */

import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import * as v from 'valibot'
import { parseRecord, type RecordKind, toRecord } from '../records/records.ts'
import { ALGORITHMS } from './algorithms.ts'
import { type KeyEncryptionKeys, unwrapPrivateKey, type WrappedKey, wrapPrivateKey } from './key_encryption.ts'
import { publicHalf, type SigningKey, signerOf } from './signing_key.ts'

const RSA_BITS = 2048

/** One key, as stored. Instants are epoch seconds. */
export interface StoredKey {
  /** Its thumbprint, RFC 7638. */
  readonly kid: string
  readonly alg: string
  readonly created_at: number
  readonly signs_from: number
  /** The published JWK. */
  readonly jwk: Readonly<Record<string, unknown>>
  /** Also proves that this server made the key. A record without it was changed by another party, and is like one that cannot be decrypted. */
  readonly private?: WrappedKey | undefined
}

/** The keys of one issuer, in the order in which they were made. */
export interface StoredSet {
  readonly issuer: string
  readonly keys: readonly StoredKey[]
}

const Text = v.pipe(v.string(), v.nonEmpty())
const Instant = v.pipe(v.number(), v.integer(), v.minValue(0))

const KEY_SETS: RecordKind<StoredSet> = {
  prefix: 'keyset',
  schema: v.object({
    issuer: Text,
    keys: v.array(
      v.object({
        kid: Text,
        alg: v.picklist([...ALGORITHMS.keys()]),
        created_at: Instant,
        signs_from: Instant,
        jwk: v.record(v.string(), v.unknown()),
        private: v.optional(v.object({ kek: Text, iv: Text, data: Text })),
      }),
    ),
  }),
  idOf: ({ issuer }) => issuer,
}

/** Returns the key of an issuer's set in the registry. */
export function keySetKey(issuer: string): string {
  return `${KEY_SETS.prefix}:${issuer}`
}

/**
 * Returns the stored keys; none without a record.
 *
 * @throws OAuthError `temporarily_unavailable` when the text is not a key set of this issuer
 */
export function parseKeySet(text: string | undefined, issuer: string): readonly StoredKey[] {
  return text === undefined ? [] : parseRecord(text, issuer, KEY_SETS).keys
}

/** Returns the text of the record. */
export function formatKeySet(issuer: string, keys: readonly StoredKey[]): string {
  return toRecord({ issuer, keys })
}

/** Generates a key and encrypts its private half. The key itself cannot be exported any more. */
export async function generateStoredKey(
  issuer: string,
  { alg, signsFrom }: { readonly alg: string; readonly signsFrom: number },
  keks: KeyEncryptionKeys,
  now: number,
): Promise<StoredKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { modulusLength: RSA_BITS, extractable: true })
  const members = publicHalf(await exportJWK(publicKey))
  const kid = await calculateJwkThumbprint(members)
  const wrapped = await wrapPrivateKey(privateKey, { issuer, kid, alg }, keks)
  const jwk = { ...members, use: 'sig', alg, kid }
  return { kid, alg, created_at: now, signs_from: signsFrom, jwk, private: wrapped }
}

/** A stored key that is ready for use. */
export interface OpenedKey {
  readonly key: SigningKey
  /** Whether its private half can be decrypted. */
  readonly canSign: boolean
  readonly stored: StoredKey
}

/**
 * Imports a stored key. One whose private half cannot be decrypted still verifies. Returns undefined when its public half is not a key of
 * its algorithm and `kid`.
 */
export async function openStoredKey(
  issuer: string,
  stored: StoredKey,
  keks: KeyEncryptionKeys,
): Promise<OpenedKey | undefined> {
  const { kid, alg, signs_from: signsFrom, jwk } = stored
  const { signing } = ALGORITHMS.get(alg) ?? {}
  const publicJwk = { ...publicHalf(jwk as JWK), use: 'sig', alg, kid }
  const publicKey = await importPublic(publicJwk, stored)
  if (signing === undefined || publicKey === undefined) return undefined
  const privateKey =
    stored.private && (await unwrapPrivateKey(stored.private, { issuer, kid, alg }, keks, algorithmIn(publicKey)))
  const key = signerOf({ kid, alg, signsFrom, publicKey, publicJwk }, async (input) => {
    if (privateKey === undefined) throw new TypeError(`the private half of ${kid} cannot be decrypted`)
    return crypto.subtle.sign(signing, privateKey, input)
  })
  return { key, canSign: privateKey !== undefined, stored }
}

/** Returns the WebCrypto algorithm of a key. The type that jose gives keys has no members under Deno. */
function algorithmIn(key: unknown): globalThis.CryptoKey['algorithm'] {
  return (key as globalThis.CryptoKey).algorithm
}

async function importPublic(
  publicJwk: JWK,
  { kid, alg }: Pick<StoredKey, 'kid' | 'alg'>,
): Promise<CryptoKey | undefined> {
  try {
    return (await calculateJwkThumbprint(publicJwk)) === kid
      ? ((await importJWK(publicJwk, alg)) as CryptoKey)
      : undefined
  } catch {
    // Its members are missing, or of another kind of key.
    return undefined
  }
}

/** Returns the key, encrypted under the first key-encryption key; undefined when it cannot be decrypted. */
export async function rewrapStoredKey(
  issuer: string,
  stored: StoredKey,
  keks: KeyEncryptionKeys,
): Promise<StoredKey | undefined> {
  const { kid, alg, private: wrapped } = stored
  const opened = await openStoredKey(issuer, stored, keks)
  if (wrapped === undefined || !opened?.canSign) return undefined
  if (wrapped.kek === keks.first) return stored
  const algorithm = algorithmIn(opened.key.publicKey)
  const key = await unwrapPrivateKey(wrapped, { issuer, kid, alg }, keks, algorithm, true)
  return key && { ...stored, private: await wrapPrivateKey(key, { issuer, kid, alg }, keks) }
}
