/** Validation of the public keys that a client registers. */

import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { Jwk } from '../types.ts'
import { ASSERTION_ALGORITHMS } from './algorithms.ts'
import { fittingKeys } from './fitting_keys.ts'
import { problemOfMembers } from './public_members.ts'

/** Returns a description of what is wrong with a key, or undefined when the key can verify an assertion. */
export async function problemOfKey(jwk: Jwk): Promise<string | undefined> {
  const problem = problemOfMembers(jwk)
  if (problem !== undefined) return problem
  const alg = [...ASSERTION_ALGORITHMS.keys()].find((each) => fittingKeys([jwk], each, undefined).length > 0)
  if (alg === undefined) return 'holds a key that fits no algorithm of this server'
  try {
    const key = (await importJWK(jwk as unknown as JWK, alg)) as CryptoKey
    // Deno checks that a point is on its curve only when it verifies a signature. The result does not matter.
    if (jwk['kty'] === 'EC') {
      await crypto.subtle.verify(
        { name: 'ECDSA', hash: `SHA-${alg.slice(2)}` },
        key,
        new Uint8Array(64),
        new Uint8Array(),
      )
    }
    return undefined
  } catch {
    return 'holds a key that cannot be imported'
  }
}
