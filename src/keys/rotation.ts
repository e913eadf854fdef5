/** Rotation of a key set: the new key is announced now and signs later; expired keys are removed. */

import { generateKey, keyState } from './key_set.ts'
import { type PrivateJwk, toSigningKey } from './signing_key.ts'

export interface RotationOptions {
  /** Algorithm of the new key, which succeeds the keys of that algorithm. */
  readonly alg: string
  /** Time between publishing the new key and signing with it, in which verifiers can fetch it. */
  readonly announceSeconds: number
  /** Longest lifetime of a token of a retired key. */
  readonly retiredSeconds: number
  /** Epoch seconds. */
  readonly now: number
}

/**
 * Returns the set with the new key in front of its predecessors. The first key of an algorithm is appended, so that the default
 * algorithm does not change, and signs at once.
 */
export async function rotate(
  jwks: readonly PrivateJwk[],
  { alg, announceSeconds, retiredSeconds, now }: RotationOptions,
): Promise<readonly PrivateJwk[]> {
  const keys = await Promise.all(jwks.map(async (jwk) => ({ jwk, ...(await toSigningKey(jwk)) })))
  const kept = keys.filter((key) => keyState(key, keys, now, retiredSeconds) !== 'expired')
  const next = await generateKey(alg, kept.some((key) => key.alg === alg) ? now + announceSeconds : 0)
  const place = kept.findIndex((key) => key.alg === alg)
  return kept.map(({ jwk }) => jwk).toSpliced(place < 0 ? kept.length : place, 0, next)
}
