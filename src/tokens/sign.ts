/** JWTs that this server signs, of whatever type: JWS in compact form, RFC 7515 §7.1. */

import { base64url, type JWTPayload } from 'jose'
import type { SigningKey } from '../keys/signing_key.ts'

const encoder = new TextEncoder()

/** Encoded headers by `typ`: a key makes each once. */
const headers = new WeakMap<SigningKey, Map<string, string>>()

/** @param typ tells one kind of JWT from another, RFC 8725 §3.11 */
export async function signJwt(claims: JWTPayload, typ: string, key: SigningKey): Promise<string> {
  const input = `${headerOf(key, typ)}.${base64url.encode(JSON.stringify(claims))}`
  const signature = await crypto.subtle.sign(key.signing, key.privateKey, encoder.encode(input))
  return `${input}.${base64url.encode(new Uint8Array(signature))}`
}

function headerOf(key: SigningKey, typ: string): string {
  const made = headers.get(key)?.get(typ)
  if (made !== undefined) return made
  const header = base64url.encode(JSON.stringify({ alg: key.alg, kid: key.kid, typ }))
  headers.set(key, new Map(headers.get(key)).set(typ, header))
  return header
}
