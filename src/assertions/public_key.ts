/** Public keys that a client hands in: whether each can be used at all, told before it is. */

import { importJWK, type JWK } from 'jose'
import { decodeBase64url } from '../lib/base64url.ts'
import type { Jwk } from '../types.ts'
import { ASSERTION_ALGORITHMS } from './algorithms.ts'
import { fittingKeys } from './jwk_set.ts'

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const MIN_RSA_OCTETS = 256

/** Whether a JWK holds something that only its owner may have. */
export function isPrivate(jwk: Jwk): boolean {
  return PRIVATE_MEMBERS.some((member) => member in jwk)
}

/** Gives what is wrong with a key, undefined when it can verify an assertion. */
export async function problemOfKey(jwk: Jwk): Promise<string | undefined> {
  if (isPrivate(jwk)) return 'holds a private or symmetric key'
  const alg = [...ASSERTION_ALGORITHMS.keys()].find((each) => fittingKeys([jwk], each, undefined).length > 0)
  if (alg === undefined) return 'holds a key that fits no algorithm of this server'
  try {
    if (!hasWholePoint(jwk)) return 'holds a key whose point is cut or padded'
    if (jwk['kty'] === 'RSA' && decodeBase64url(String(jwk['n'])).length < MIN_RSA_OCTETS) {
      return 'holds an RSA key of less than 2048 bits'
    }
    await importJWK(jwk as unknown as JWK, alg)
    return undefined
  } catch {
    return 'holds a key that cannot be imported'
  }
}

/** Octets of a coordinate, RFC 7518 §6.2.1.2 and RFC 8037 §2; not every runtime looks. */
const COORDINATE_OCTETS: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 }

function hasWholePoint({ kty, crv, x, y }: Jwk): boolean {
  const octets = COORDINATE_OCTETS[String(crv)]
  const coordinates = kty === 'EC' ? [x, y] : kty === 'OKP' ? [x] : []
  return coordinates.every((coordinate) => decodeBase64url(String(coordinate)).length === octets)
}
