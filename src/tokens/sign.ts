/** JWTs that this server signs, of whatever type. */

import { type JWTPayload, SignJWT } from 'jose'
import type { SigningKey } from '../keys/signing_key.ts'

/** @param typ tells one kind of JWT from another, RFC 8725 §3.11 */
export function signJwt(claims: JWTPayload, typ: string, { alg, kid, privateKey }: SigningKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(privateKey)
}
