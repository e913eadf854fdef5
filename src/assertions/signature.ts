/** Verification of the signature of an assertion. */

import { compactVerify, type JWK } from 'jose'
import type { Jwk } from '../types.ts'

/** Returns whether a key signed a JWS; false for a key that jose refuses, such as one whose point is not on its curve. */
export async function isSignedBy(jws: string, key: Jwk, alg: string): Promise<boolean> {
  // jose compares the names of algorithms. It caches imports by object identity, so the key is copied only if its name differs.
  const named = key['alg'] === undefined || key['alg'] === alg ? key : { ...key, alg }
  try {
    await compactVerify(jws, named as unknown as JWK, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
