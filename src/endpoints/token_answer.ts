/** The end of `POST /token`: the event and the response. */

import type { Context } from 'hono'
import { assertionMembers } from '../attribution.ts'
import type { Authenticated } from '../authentication/authenticate.ts'
import type { ServerEvent } from '../events/events.ts'
import type { Confirmed, Grant } from '../features.ts'
import { withRequestId } from '../http/caller.ts'
import { jsonHeaders } from '../http/respond.ts'
import type { Permit } from '../permit.ts'
import type { Issued } from '../tokens/reuse.ts'

/** Returns the audit event of an issued token. */
export function issuedEvent(
  { signed: { accessToken: token }, isReused }: Issued,
  grant: Grant,
  proof: Authenticated['proof'],
  { basis }: Permit,
): ServerEvent {
  const actor = token.actor?.['sub']
  return {
    event: 'token_issued',
    client_id: token.clientId,
    ...(token.subject !== token.clientId && { sub: token.subject }),
    grant_type: grant.grantType,
    scope: token.scopes.join(' '),
    aud: token.resources,
    jti: token.id,
    exp: token.expiresAt,
    ...(typeof actor === 'string' && { actor }),
    ...basis,
    ...(isReused && { reused: true }),
    ...(proof !== undefined && { credential_id: proof.credential.id, ...assertionMembers(proof) }),
  }
}

/**
 * Returns the token response.
 *
 * @param now epoch seconds
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export function respond(
  c: Context,
  { signed: { jwt, accessToken } }: Issued,
  now: number,
  confirmed: Confirmed,
  { response }: Permit,
): Response {
  const members = JSON.stringify({
    ...response,
    // Written below: JSON.stringify looks for what it has to escape, and a JWT is long and holds nothing of that kind.
    access_token: undefined,
    expires_in: accessToken.expiresAt - now,
    scope: accessToken.scopes.join(' '),
    token_type: confirmed.tokenType ?? 'bearer',
  })
  return new Response(`{"access_token":"${jwt}",${members.slice(1)}`, {
    headers: withRequestId(c, confirmed.headers === undefined ? jsonHeaders : { ...jsonHeaders, ...confirmed.headers }),
  })
}
