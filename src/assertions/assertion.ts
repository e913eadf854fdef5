/** A JWT that somebody else signed, read strictly and not yet verified. */

import { decodeBase64url } from '../lib/base64url.ts'
import { parseUnique } from '../lib/json.ts'

/** Longer JWTs are not read, and so none is issued either. */
export const MAX_JWT_CHARACTERS: number = 16 * 1024

type Members = Readonly<Record<string, unknown>>

export interface Assertion {
  readonly jws: string
  readonly header: Members
  readonly claims: Members
}

/** Gives undefined for anything but three parts of canonical base64url with two JSON objects, RFC 7515 §5.2 and RFC 7519 §7.2. */
export function readAssertion(jws: string): Assertion | undefined {
  const [header, claims, signature, ...more] = jws.length <= MAX_JWT_CHARACTERS ? jws.split('.') : []
  if (header === undefined || claims === undefined || !signature || more.length > 0) return undefined
  try {
    decodeBase64url(signature)
    return { jws, header: readPart(header), claims: readPart(claims) }
  } catch {
    return undefined
  }
}

function readPart(part: string): Members {
  return parseUnique(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decodeBase64url(part)))
}
