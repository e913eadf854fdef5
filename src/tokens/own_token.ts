/** Access tokens of this server that are presented to it, for introspection or revocation. */

import { compactVerify } from 'jose'
import { readAssertion } from '../assertions/assertion.ts'
import type { Keyring } from '../keys/keyring.ts'
import { accessTokenProfiles } from './access_token.ts'
import { partiesOf } from './parties.ts'

/** A verified access token of this server. Instants are epoch seconds. */
export interface OwnToken {
  /** The key that signed it, if keys can be revoked one by one. */
  readonly kid?: string | undefined
  readonly jti: string
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  /** Its client, its subject and its actors: a denial of one of them denies the token. */
  readonly parties: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
}

const TYPES: readonly string[] = Object.values(accessTokenProfiles).map(({ typ }) => typ)

/**
 * Verifies an access token of this server. Returns undefined when it is not one, has expired, or its key has.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 §4}
 */
export async function readOwnToken(
  jws: string,
  { keyring, issuer, now }: { readonly keyring: Keyring; readonly issuer: string; readonly now: number },
): Promise<OwnToken | undefined> {
  const read = readAssertion(jws)
  if (read === undefined || !TYPES.includes(String(read.header['typ']))) return undefined
  const kid = String(read.header['kid'])
  const key = (await keyring.at(now)).verifying(kid) ?? (await keyring.fresh?.(now))?.verifying(kid)
  if (key === undefined || key.alg !== read.header['alg']) return undefined
  const isSigned = await compactVerify(jws, key.publicKey, { algorithms: [key.alg] }).then(
    () => true,
    () => false,
  )
  const { iss, exp, iat, jti, client_id } = read.claims
  if (!isSigned || iss !== issuer || typeof jti !== 'string' || typeof client_id !== 'string') return undefined
  if (typeof exp !== 'number' || typeof iat !== 'number' || exp <= now) return undefined
  // A keyring that never changes has no revoked keys.
  const revocable = keyring.fresh && { kid }
  return { jti, client_id, iat, exp, parties: partiesOf(read.claims), claims: read.claims, ...revocable }
}

/** Returns the members of `aud`, whether it is a list or one value. */
export function audiencesOf({ claims }: OwnToken): readonly unknown[] {
  return [claims['aud']].flat()
}

/** Returns the space-separated scope of a token of either profile. */
export function scopeOf({ claims }: OwnToken): string {
  const { scp, scope = Array.isArray(scp) ? scp.join(' ') : '' } = claims
  return String(scope)
}
