/** The signature of a JWT that somebody else signed. */

import { compactVerify, type JWK } from 'jose'
import type { Jwk } from '../types.ts'

/** Whether a key signed a JWS. A key that jose refuses (a broken point, for example) signed nothing. */
export async function isSignedBy(jws: string, key: Jwk, alg: string): Promise<boolean> {
  // jose compares names. It also remembers the import of a key by its identity, so a key is copied only where the name differs.
  const named = key['alg'] === undefined || key['alg'] === alg ? key : { ...key, alg }
  try {
    await compactVerify(jws, named as unknown as JWK, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
