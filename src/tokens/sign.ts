/** JWTs that this server signs, in JWS compact serialization, RFC 7515 §7.1. */

import { base64url, type JWTPayload } from 'jose'
import type { SigningKey } from '../keys/signing_key.ts'

const encoder = new TextEncoder()

/**
 * Returns a signed JWT.
 *
 * @param typ distinguishes one kind of JWT from another, RFC 8725 §3.11
 */
export async function signJwt(claims: JWTPayload, typ: string, key: SigningKey): Promise<string> {
  const input = `${key.headerOf(typ)}.${base64url.encode(JSON.stringify(claims))}`
  return `${input}.${base64url.encode(await key.sign(encoder.encode(input)))}`
}
