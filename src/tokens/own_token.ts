/** Our own access tokens when they come back: is it one, and what does it say. */

import { compactVerify } from 'jose'
import { readAssertion } from '../assertions/assertion.ts'
import type { Keyring } from '../keys/keyring.ts'
import { accessTokenProfiles } from './access_token.ts'

/** What is relied on in a token of ours; the rest is as it was issued. Instants are epoch seconds. */
export interface OwnToken {
  readonly jti: string
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly claims: Readonly<Record<string, unknown>>
}

const TYPES: readonly string[] = Object.values(accessTokenProfiles).map(({ typ }) => typ)

/**
 * Reads an access token. Gives undefined for one that somebody else signed, that has expired, or whose key is over.
 *
 * @see RFC 9068 §4
 */
export async function readOwnToken(
  jws: string,
  { keyring, issuer, now }: { readonly keyring: Keyring; readonly issuer: string; readonly now: number },
): Promise<OwnToken | undefined> {
  const read = readAssertion(jws)
  if (read === undefined || !TYPES.includes(String(read.header['typ']))) return undefined
  const key = keyring.verifyingAt(now, String(read.header['kid']))
  if (key === undefined || key.alg !== read.header['alg']) return undefined
  const isOurs = await compactVerify(jws, key.publicKey, { algorithms: [key.alg] }).then(
    () => true,
    () => false,
  )
  const { iss, exp, iat, jti, client_id } = read.claims
  if (!isOurs || iss !== issuer || typeof jti !== 'string' || typeof client_id !== 'string') return undefined
  if (typeof exp !== 'number' || typeof iat !== 'number' || exp <= now) return undefined
  return { jti, client_id, iat, exp, claims: read.claims }
}

/** Gives the audiences of a token. */
export function audiencesOf({ claims }: OwnToken): readonly unknown[] {
  return [claims['aud']].flat()
}

/** Gives the scope of a token of either profile, blanks between. */
export function scopeOf({ claims }: OwnToken): string {
  const { scp, scope = Array.isArray(scp) ? scp.join(' ') : '' } = claims
  return String(scope)
}
