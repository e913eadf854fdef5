/** Turning a key set: the next key is announced now and signs later, what nobody needs any more goes. */

import { generateKey, keyState } from './key_set.ts'
import { type PrivateJwk, toSigningKey } from './signing_key.ts'

export interface RotationOptions {
  /** Of the new key; it follows on those of the same algorithm. */
  readonly alg: string
  /** How long verifiers have to learn of the new key before it signs. */
  readonly announceSeconds: number
  /** How long the last token of a retired key may live. */
  readonly retiredSeconds: number
  /** Epoch seconds. */
  readonly now: number
}

/** Gives the set with a new key in the place of its predecessor; a new algorithm comes last, so that the default stays. */
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
