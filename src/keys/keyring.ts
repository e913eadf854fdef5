/** The keys that sign our tokens at an instant, and those that are published at it. */

import type { JWK } from 'jose'
import { temporarilyUnavailable } from '../errors.ts'
import { generateKey, keyState, readKeySet } from './key_set.ts'
import { type PrivateJwk, type SigningKey, toSigningKey } from './signing_key.ts'

/** Beyond the life of its last token, for clocks that are late. */
const SKEW_SECONDS = 60

/** Instants are epoch seconds. */
export interface Keyring {
  /** The algorithms that tokens can be signed with, the default first. */
  readonly algorithms: readonly string[]
  /** Gives the key of an algorithm, else of the default one; undefined when none of that algorithm signs. */
  signingAt(now: number, alg?: string): SigningKey | undefined
  /** Gives the key that a token names, while it is published. */
  verifyingAt(now: number, kid: string): SigningKey | undefined
  /** The public keys, announced and retired ones too, RFC 7517 §5. */
  publishedAt(now: number): { readonly keys: readonly JWK[] }
}

export interface KeyringOptions {
  /** How long a token may live at most. */
  readonly lifetimeSeconds: number
}

/**
 * Reads a private JWK Set, in the order of preference, or one PKCS#8 PEM. Whether a key signs is decided at each request:
 * this runs in the global scope of a Worker, where the clock stands at 0.
 *
 * @throws TypeError whose message says what is wrong and quotes nothing of the keys
 */
export async function readKeyring(text: string, options: KeyringOptions): Promise<Keyring> {
  return toKeyring(await readKeySet(text), options)
}

/** Makes a keyring of one new RSA key that nobody else has and that ends with the process. */
export async function generateKeyring(options: KeyringOptions): Promise<Keyring> {
  return toKeyring([await generateKey('RS256')], options)
}

async function toKeyring(jwks: readonly PrivateJwk[], { lifetimeSeconds }: KeyringOptions): Promise<Keyring> {
  const keys = await Promise.all(jwks.map(toSigningKey))
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new TypeError('two keys have the same kid')
  const stateAt = (key: SigningKey, instant: number) => keyState(key, keys, instant, lifetimeSeconds + SKEW_SECONDS)
  return {
    algorithms: [...new Set(keys.map(({ alg }) => alg))],
    signingAt: (instant, alg) =>
      keys.find((key) => (alg === undefined || key.alg === alg) && stateAt(key, instant) === 'signing'),
    verifyingAt: (instant, kid) => keys.find((key) => key.kid === kid && stateAt(key, instant) !== 'expired'),
    publishedAt: (instant) => ({
      keys: keys.filter((key) => stateAt(key, instant) !== 'expired').map(({ publicJwk }) => publicJwk),
    }),
  }
}

/**
 * Gives the key that signs, of an algorithm or of the default one.
 *
 * @throws OAuthError `temporarily_unavailable` when there is none
 */
export function signingKeyAt(keyring: Keyring, now: number, alg?: string): SigningKey {
  const key = keyring.signingAt(now, alg)
  if (key !== undefined) return key
  if (alg === undefined) throw temporarilyUnavailable('signing_key_missing', 'No key signs yet.')
  throw temporarilyUnavailable('signing_alg_missing', 'There is no key for the algorithm that this resource wants.')
}
