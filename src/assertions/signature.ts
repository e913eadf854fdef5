/** The signature of a JWT that somebody else signed. */

import { compactVerify, type JWK } from 'jose'
import type { Jwk } from '../types.ts'

/** A key that jose does not take (an RSA key under 2048 bits, a broken point) has signed nothing. */
export async function isSignedBy(jws: string, key: Jwk, alg: string): Promise<boolean> {
  try {
    await compactVerify(jws, key as unknown as JWK, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
