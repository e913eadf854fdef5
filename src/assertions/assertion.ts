/** Strict parsing of a JWT whose signature is not yet verified. */

import { invalidClient } from '../errors.ts'
import { decodeBase64url } from '../lib/base64url.ts'
import { parseUnique } from '../lib/json.ts'

/** Longer JWTs are refused, so no longer token is issued. */
export const MAX_JWT_CHARACTERS: number = 16 * 1024

type Members = Readonly<Record<string, unknown>>

/** A parsed JWT; nothing in it is verified. */
export interface Assertion {
  readonly jws: string
  readonly header: Members
  readonly claims: Members
}

/**
 * Returns the header and claims of a JWT; undefined unless it has exactly three parts of canonical base64url, the first two being
 * JSON objects without repeated members.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-5.2 RFC 7515 §5.2}, {@link https://www.rfc-editor.org/rfc/rfc7519#section-7.2 RFC 7519 §7.2}
 */
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

/**
 * Returns a parsed JWT that authenticates a client.
 *
 * @throws OAuthError `invalid_client` when it is not a JWT
 */
export function requireAssertion(jws: string): Assertion {
  const assertion = readAssertion(jws)
  if (assertion === undefined) throw invalidClient('assertion_malformed')
  return assertion
}

function readPart(part: string): Members {
  return parseUnique(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decodeBase64url(part)))
}
