/** Hashes of secrets at rest: a kind is a row of the table. The only user of bcrypt. */

import { hash as bcrypt, compare, truncates } from 'bcrypt-ts/browser'
import { decodeBase64url, encodeBase64url } from '../lib/base64url.ts'
import { isIntact, looksGenerated } from './generated_secret.ts'

export interface HashKind {
  /** Of hashes that can be compared; nothing else is. */
  readonly pattern: RegExp
  /** Whether a secret can have such a hash at all; what cannot costs nothing. */
  canBe(secret: string): boolean
  /** Milliseconds of CPU that a comparison takes, about; 0 when it is not worth remembering. */
  costMilliseconds(hash: string): number
  compare(secret: string, hash: string): Promise<boolean>
}

const BCRYPT_COST = 10
const BCRYPT_MILLISECONDS = 80
const PBKDF2_ITERATIONS_PER_MILLISECOND = 3000

/** SHA-256 is for 256 random bits only; nobody tries those out. */
const sha256: HashKind = {
  pattern: /^\$sha256\$[\w-]{42}[AEIMQUYcgkosw048]$/,
  canBe: () => true,
  costMilliseconds: () => 0,
  compare: async (secret, hash) => isSame(await digest(secret), decodeBase64url(hash.slice('$sha256$'.length))),
}

/** Of cost 4 to 15: each step doubles the time, and 15 takes seconds. */
const bcryptKind: HashKind = {
  pattern: /^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/,
  costMilliseconds: (hash) => BCRYPT_MILLISECONDS * 2 ** (Number(hash.slice(4, 6)) - BCRYPT_COST),
  // bcrypt reads 72 octets and takes NUL for the end: past either, different secrets would look alike.
  canBe: (secret) => !truncates(secret) && !secret.includes('\0'),
  compare: async (secret, hash) => bcryptKind.canBe(secret) && compare(secret, hash),
}

/** As Hydra writes it: `i` iterations (workerd stops at 100,000) and `l` octets. */
const pbkdf2: HashKind = {
  pattern:
    /^\$pbkdf2-sha256\$i=([1-9]\d{0,4}|100000),l=(1[6-9]|[2-5]\d|6[0-4])\$[A-Za-z0-9+/]{1,86}\$[A-Za-z0-9+/]{22,86}$/,
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

const KINDS: readonly HashKind[] = [sha256, bcryptKind, pbkdf2]

/** Whether salt and key are base64, and the key as long as is said. */
function isPbkdf2(hash: string): boolean {
  const [, , parameters = '', salt = '', key = ''] = hash.split('$')
  const octetsOf = (base64: string): number | undefined =>
    base64.length % 4 === 1 ? undefined : Math.floor((base64.length * 3) / 4)
  return octetsOf(salt) !== undefined && octetsOf(key) === Number(/l=(\d+)$/.exec(parameters)?.[1])
}

/** Gives undefined for a hash that is of no kind known here. */
export function hashKind(hash: string): HashKind | undefined {
  const kind = KINDS.find(({ pattern }) => pattern.test(hash))
  return kind === pbkdf2 && !isPbkdf2(hash) ? undefined : kind
}

/**
 * Hashes a secret for storage: a generated one fast, one that somebody chose by bcrypt.
 *
 * @throws RangeError when a chosen one looks generated, is too long for bcrypt, or holds NUL
 */
export async function hashSecret(secret: string): Promise<string> {
  if (looksGenerated(secret) && isIntact(secret)) return hashToken(secret)
  if (looksGenerated(secret)) throw new RangeError('a secret that begins like a generated one must be one')
  if (truncates(secret) || secret.includes('\0')) throw new RangeError('a secret may have 72 octets, none of them NUL')
  return bcrypt(secret, BCRYPT_COST)
}

/** Hashes what is random enough that nobody can try it out: 128 bits or more. */
export async function hashToken(token: string): Promise<string> {
  return `$sha256$${encodeBase64url(await digest(token))}`
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Takes the same time wherever the first difference is. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [index, octet] of a.entries()) difference |= octet ^ (b[index] ?? 0)
  return difference === 0
}
