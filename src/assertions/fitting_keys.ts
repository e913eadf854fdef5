/** Selection of the keys that may have signed a JWS. */

import type { Jwk } from '../types.ts'
import { ASSERTION_ALGORITHMS, isSameAlgorithm } from './algorithms.ts'
import { problemOfMembers } from './public_members.ts'

/** Returns the public keys that fit `alg` and, when the JWS names one, `kid`. */
export function fittingKeys(keys: readonly Jwk[], alg: string, kid: string | undefined): readonly Jwk[] {
  return keys.filter((key) => (kid === undefined || key['kid'] === kid) && fits(key, alg))
}

function fits(key: Jwk, alg: string): boolean {
  const algorithm = ASSERTION_ALGORITHMS.get(alg)
  const { kty, crv, use = 'sig', key_ops = ['verify'] } = key
  if (algorithm === undefined || kty !== algorithm.kty || (algorithm.crv !== undefined && crv !== algorithm.crv))
    return false
  const isForAlg = key['alg'] === undefined || isSameAlgorithm(key['alg'], alg)
  const isToVerify = use === 'sig' && Array.isArray(key_ops) && key_ops.includes('verify')
  return isForAlg && isToVerify && problemOfMembers(key) === undefined
}
