/** The keys that sign tokens and the keys that are published, at a given instant. */

import type { JWK } from 'jose'
import { temporarilyUnavailable } from '../errors.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { generateKey, keyState, readKeySet } from './key_set.ts'
import { type PrivateJwk, type SigningKey, toSigningKey } from './signing_key.ts'

/** A retired key stays published this much longer than its last token lives, for verifiers whose clocks are behind. */
export const RETIRED_SKEW_SECONDS: number = 60

/** The keys of an issuer at one instant. */
export interface KeySet {
  /** The public keys, including announced and retired ones, RFC 7517 §5. */
  readonly published: { readonly keys: readonly JWK[] }
  /** Whether a key that should sign cannot be decrypted. */
  readonly isUnreadable?: boolean
  /** Returns the key that signs with `alg`, by default with the preferred algorithm; undefined when no key does. */
  signing(alg?: string): SigningKey | undefined
  /** Returns the published key that a token names by its `kid`; undefined when there is none. */
  verifying(kid: string): SigningKey | undefined
}

/** The keys of an issuer. Instants are epoch seconds. */
export interface Keyring {
  /** Algorithms that tokens can be signed with, the default first. */
  readonly algorithms: readonly string[]
  /** The longest lifetime of a token that a retired key stays published for. */
  readonly lifetimeSeconds: number
  /** How long a verifier may cache the published keys; five minutes by default. */
  readonly maxAgeSeconds?: number
  /**
   * Returns the keys at an instant. A promise only until the keys have been read for the first time; it rejects with OAuthError
   * `temporarily_unavailable` when they cannot be.
   */
  at(now: number): KeySet | Promise<KeySet>
  /** Like `at`, but reads the keys again if that was more than some seconds ago. Absent when they never change. */
  fresh?(now: number): KeySet | Promise<KeySet>
}

/** A keyring whose keys are all known from the start. */
export interface FixedKeyring extends Keyring {
  /** In the order of preference. */
  readonly keys: readonly SigningKey[]
  at(now: number): KeySet
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
export async function readKeyring(text: string, options: KeyringOptions = {}): Promise<FixedKeyring> {
  return toKeyring(await readKeySet(text), options)
}

/** Returns a keyring of one new RSA key, which exists only in this process. */
export async function generateKeyring(options: KeyringOptions = {}): Promise<FixedKeyring> {
  return toKeyring([await generateKey('RS256')], options)
}

async function toKeyring(jwks: readonly PrivateJwk[], options: KeyringOptions): Promise<FixedKeyring> {
  return keyringOf(await Promise.all(jwks.map(toSigningKey)), options)
}

/**
 * Returns a keyring of these keys, the preferred one first.
 *
 * @throws TypeError when two have the same `kid`
 */
export function keyringOf(keys: readonly SigningKey[], options: KeyringOptions = {}): FixedKeyring {
  const { lifetimeSeconds = DEFAULT_TOKEN_LIFETIME_SECONDS } = options
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) throw new TypeError('two keys have the same kid')
  const retiredSeconds = lifetimeSeconds + RETIRED_SKEW_SECONDS
  return {
    algorithms: [...new Set(keys.map(({ alg }) => alg))],
    lifetimeSeconds,
    keys,
    at: eachInstant((now) => {
      const stateOf = (key: SigningKey) => keyState(key, keys, now, retiredSeconds)
      return {
        signing: eachName((alg) =>
          keys.find((key) => (alg === undefined || key.alg === alg) && stateOf(key) === 'signing'),
        ),
        verifying: (kid) => keys.find((key) => key.kid === kid && stateOf(key) !== 'expired'),
        get published() {
          return { keys: keys.filter((key) => stateOf(key) !== 'expired').map(({ publicJwk }) => publicJwk) }
        },
      }
    }),
  }
}

/** Returns the same function, which remembers its result for the latest instant. */
export function eachInstant<T>(make: (now: number) => T): (now: number) => T {
  let latest: { readonly now: number; readonly made: T } | undefined
  return (now) => {
    if (latest?.now !== now) latest = { now, made: make(now) }
    return latest.made
  }
}

/** Returns the same function, which remembers its results. */
export function eachName<T>(find: (name?: string) => T): (name?: string) => T {
  const found = new Map<string | undefined, { readonly result: T }>()
  return (name) => {
    const known = found.get(name) ?? { result: find(name) }
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
 * @throws OAuthError `temporarily_unavailable` when no key does
 */
export function signingKeyOf(keys: KeySet, alg?: string): SigningKey {
  const key = keys.signing(alg)
  if (key !== undefined) return key
  if (keys.isUnreadable) throw temporarilyUnavailable('signing_key_undecryptable', 'No key can be used.')
  if (alg === undefined) throw temporarilyUnavailable('signing_key_missing', 'No key signs yet.')
  throw temporarilyUnavailable('signing_alg_missing', 'There is no key for the algorithm that this resource requires.')
}
