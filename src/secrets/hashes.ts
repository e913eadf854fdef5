/** The hashes of stored secrets: each kind is an entry of a table. bcrypt-ts is used only here. */

import { hash as bcryptHash, compare, truncates } from 'bcrypt-ts/browser'
import { encodeBase64url } from '../lib/base64url.ts'
import { isIntact, looksGenerated } from './generated.ts'

/** Returns the SHA-256 of a text, in base64url, at once or later. */
export type Sha256 = (text: string) => string | Promise<string>

export interface CompareOptions {
  /** WebCrypto's by default. */
  readonly sha256?: Sha256 | undefined
  /** Called between the pieces of a long comparison, when other work can run; bcrypt-ts runs pieces of 100 ms. */
  onPiece?(): void
}

/** A kind of hash. */
export interface HashKind {
  /** Returns whether a string is a hash of this kind that can be compared. A string is a hash of at most one kind. */
  isHash(text: string): boolean
  /** True if a comparison is so cheap that its result is not remembered. */
  readonly isFast: boolean
  /** Returns whether a secret can have such a hash. A secret that cannot is wrong without a comparison. */
  canBe(secret: string): boolean
  /** Returns the approximate CPU time of a comparison in milliseconds. */
  costMilliseconds(hash: string): number
  /** Returns whether `hash` is a hash of the secret. */
  compare(secret: string, hash: string, options?: CompareOptions): boolean | Promise<boolean>
}

const BCRYPT_COST = 10
const BCRYPT_MILLISECONDS = 80
const PBKDF2_ITERATIONS_PER_MILLISECOND = 3000

const SHA256_PREFIX = '$sha256$'

/** Only for generated secrets and tokens, which are too random to be guessed. */
const sha256: HashKind = {
  isHash: (text) => /^\$sha256\$[\w-]{42}[AEIMQUYcgkosw048]$/.test(text),
  isFast: true,
  canBe: () => true,
  costMilliseconds: () => 0,
  compare(secret, hash, { sha256: digest = webSha256 } = {}) {
    const isSame = (digested: string): boolean => isSameText(SHA256_PREFIX + digested, hash)
    const digested = digest(secret)
    return typeof digested === 'string' ? isSame(digested) : digested.then(isSame)
  },
}

/** Cost 4 to 15. Each step doubles the time, and cost 15 takes seconds. */
const bcrypt: HashKind = {
  isHash: (text) => /^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/.test(text),
  isFast: false,
  // bcrypt ignores everything after 72 bytes or a NUL, so secrets that differ only there have the same hash.
  canBe: (secret) => !truncates(secret) && !secret.includes('\0'),
  costMilliseconds: (hash) => BCRYPT_MILLISECONDS * 2 ** (Number(hash.slice(4, 6)) - BCRYPT_COST),
  compare: async (secret, hash, { onPiece } = {}) => bcrypt.canBe(secret) && compare(secret, hash, onPiece),
}

/** The format of Hydra: `i` iterations (workerd allows at most 100,000) and a key of `l` bytes. */
const pbkdf2: HashKind = {
  isHash: isPbkdf2,
  isFast: false,
  canBe: () => true,
  costMilliseconds: (hash) => Math.ceil(Number(/i=(\d+)/.exec(hash)?.[1]) / PBKDF2_ITERATIONS_PER_MILLISECOND),
  async compare(secret, hash) {
    const [, , parameters = '', salt = '', key = ''] = hash.split('$')
    const [, iterations] = /^i=(\d+)/.exec(parameters) ?? []
    const expected = fromBase64(key)
    const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'PBKDF2', false, [
      'deriveBits',
    ])
    const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: fromBase64(salt), iterations: Number(iterations) }
    return isSame(new Uint8Array(await crypto.subtle.deriveBits(derivation, material, expected.length * 8)), expected)
  },
}

const PBKDF2_PATTERN =
  /^\$pbkdf2-sha256\$i=([1-9]\d{0,4}|100000),l=(1[6-9]|[2-5]\d|6[0-4])\$[A-Za-z0-9+/]{1,86}\$[A-Za-z0-9+/]{22,86}$/

/** Also checks that salt and key are base64, and that the key has the length `l`. */
function isPbkdf2(text: string): boolean {
  if (!PBKDF2_PATTERN.test(text)) return false
  const [, , parameters = '', salt = '', key = ''] = text.split('$')
  const bytesOf = (base64: string): number | undefined =>
    base64.length % 4 === 1 ? undefined : Math.floor((base64.length * 3) / 4)
  return bytesOf(salt) !== undefined && bytesOf(key) === Number(/l=(\d+)$/.exec(parameters)?.[1])
}

const KINDS: readonly HashKind[] = [sha256, bcrypt, pbkdf2]

/** Returns the kind of a hash, undefined when it is unknown. */
export function hashKind(hash: string): HashKind | undefined {
  return KINDS.find(({ isHash }) => isHash(hash))
}

/**
 * Returns the hash of a secret to be stored: SHA-256 for a generated secret, bcrypt for a chosen one.
 *
 * @throws RangeError when a chosen secret looks generated, is longer than 72 octets, or holds NUL
 */
export async function hashSecret(secret: string): Promise<string> {
  if (looksGenerated(secret) && isIntact(secret)) return hashToken(secret)
  if (looksGenerated(secret))
    throw new RangeError('a secret with the prefix of generated secrets must be a generated one')
  if (!bcrypt.canBe(secret)) throw new RangeError('a secret must have at most 72 octets and no NUL')
  return bcryptHash(secret, BCRYPT_COST)
}

/** Returns the SHA-256 hash of a token with 128 bits of entropy or more. */
export async function hashToken(token: string): Promise<string> {
  return SHA256_PREFIX + (await webSha256(token))
}

/** Returns whether `hash` is the hash of a token; false without a hash, and for a hash that is slow to compare. */
export async function isSameToken(token: string, hash: string | undefined): Promise<boolean> {
  if (hash === undefined) return false
  const kind = hashKind(hash)
  return kind?.isFast === true && kind.compare(token, hash)
}

/** Returns the SHA-256 of a text, in base64url, by WebCrypto. */
export async function webSha256(text: string): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Compares in constant time. */
function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}

/** Compares in constant time. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [index, octet] of a.entries()) difference |= octet ^ (b[index] ?? 0)
  return difference === 0
}
