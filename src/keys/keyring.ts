/** The keys that sign tokens and the keys that are published, at a given instant. */

import type { JWK } from 'jose'
import { temporarilyUnavailable } from '../errors.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { generateKey, keyState, readKeySet } from './key_set.ts'
import { type PrivateJwk, type SigningKey, toSigningKey } from './signing_key.ts'

/** A retired key stays published this much longer than its last token lives, for verifiers whose clocks are behind. */
export const RETIRED_SKEW_SECONDS: number = 60

/** The keys of an issuer. Instants are epoch seconds. */
export interface Keyring {
  /** Algorithms that tokens can be signed with, the default first. */
  readonly algorithms: readonly string[]
  /** The longest lifetime of a token that a retired key stays published for. */
  readonly lifetimeSeconds: number
  /** Returns the key that signs with `alg`, by default with the preferred algorithm; undefined when no key does. */
  signingAt(now: number, alg?: string): SigningKey | undefined
  /** Returns the published key that a token names by its `kid`; undefined when there is none. */
  verifyingAt(now: number, kid: string): SigningKey | undefined
  /** Returns the public keys, including announced and retired ones, RFC 7517 §5. */
  publishedAt(now: number): { readonly keys: readonly JWK[] }
}

export interface KeyringOptions {
  /** The longest lifetime of a token, at least the `accessTokenLifetime` of the token endpoint; by default its default. */
  readonly lifetimeSeconds?: number
}

/**
 * Reads a private JWK Set, the preferred key first, or one PKCS#8 PEM. The state of each key is decided per request, because
 * this runs in the global scope of a Worker, where the clock is 0.
 *
 * @throws TypeError when the text or a key is unusable; the message quotes no part of a key
 */
export async function readKeyring(text: string, options: KeyringOptions = {}): Promise<Keyring> {
  return toKeyring(await readKeySet(text), options)
}

/** Returns a keyring of one new RSA key, which exists only in this process. */
export async function generateKeyring(options: KeyringOptions = {}): Promise<Keyring> {
  return toKeyring([await generateKey('RS256')], options)
}

async function toKeyring(jwks: readonly PrivateJwk[], options: KeyringOptions): Promise<Keyring> {
  const { lifetimeSeconds = DEFAULT_TOKEN_LIFETIME_SECONDS } = options
  const keys = await Promise.all(jwks.map(toSigningKey))
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new TypeError('two keys have the same kid')
  const retiredSeconds = lifetimeSeconds + RETIRED_SKEW_SECONDS
  const stateAt = (key: SigningKey, instant: number) => keyState(key, keys, instant, retiredSeconds)
  return {
    algorithms: [...new Set(keys.map(({ alg }) => alg))],
    lifetimeSeconds,
    signingAt: eachInstant((instant, alg) =>
      keys.find((key) => (alg === undefined || key.alg === alg) && stateAt(key, instant) === 'signing'),
    ),
    verifyingAt: (instant, kid) => keys.find((key) => key.kid === kid && stateAt(key, instant) !== 'expired'),
    publishedAt: (instant) => ({
      keys: keys.filter((key) => stateAt(key, instant) !== 'expired').map(({ publicJwk }) => publicJwk),
    }),
  }
}

/** Returns the same function, which remembers its results for the latest instant. */
function eachInstant<T>(find: (instant: number, name?: string) => T): (instant: number, name?: string) => T {
  const found = new Map<string | undefined, { readonly result: T }>()
  let latest = Number.NaN
  return (instant, name) => {
    if (instant !== latest) found.clear()
    latest = instant
    const known = found.get(name) ?? { result: find(instant, name) }
    found.set(name, known)
    return known.result
  }
}

/**
 * Checks that a keyring publishes its retired keys for as long as tokens live.
 *
 * @throws TypeError when tokens may live longer
 */
export function requireLifetime({ lifetimeSeconds }: Keyring, accessTokenLifetime: number): void {
  if (lifetimeSeconds >= accessTokenLifetime) return
  throw new TypeError(
    `The keyring publishes retired keys for tokens of ${lifetimeSeconds} s, and accessTokenLifetime is ${accessTokenLifetime} s: ` +
      `pass { lifetimeSeconds: ${accessTokenLifetime} } to readKeyring or generateKeyring.`,
  )
}

/**
 * Returns the key that signs with `alg`, by default with the preferred algorithm.
 *
 * @param now epoch seconds
 * @throws OAuthError `temporarily_unavailable` when no key does
 */
export function signingKeyAt(keyring: Keyring, now: number, alg?: string): SigningKey {
  const key = keyring.signingAt(now, alg)
  if (key !== undefined) return key
  if (alg === undefined) throw temporarilyUnavailable('signing_key_missing', 'No key signs yet.')
  throw temporarilyUnavailable('signing_alg_missing', 'There is no key for the algorithm that this resource requires.')
}
