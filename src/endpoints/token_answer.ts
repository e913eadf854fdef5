/** The end of `POST /token`: the event and the response, or the refusal of a token that is too large. */

import { MAX_JWT_CHARACTERS } from '../assertions/assertion.ts'
import { invalidScope, invalidTarget } from '../errors.ts'
import type { ServerEvent } from '../events/events.ts'
import type { Confirmed, Grant, Permit } from '../features.ts'
import { jsonHeaders } from '../http/respond.ts'
import type { AccessToken } from '../tokens/access_token.ts'

/**
 * Refuses a token that is too large for this server to read back, because it could not be revoked.
 *
 * @throws OAuthError `invalid_scope` or `invalid_target`, depending on what makes the token large
 */
export function requireReadable(jwt: string, { scopes, resources }: AccessToken): void {
  if (jwt.length <= MAX_JWT_CHARACTERS) return
  throw scopes.join(' ').length > resources.join(' ').length
    ? invalidScope('token_too_large', 'The token would be too large; ask for fewer scopes.')
    : invalidTarget('token_too_large', 'The token would be too large; ask for fewer resources.')
}

/** Returns the audit event of an issued token. */
export function issued(token: AccessToken, grant: Grant): ServerEvent {
  return {
    event: 'token_issued',
    client_id: token.clientId,
    ...(token.subject !== token.clientId && { sub: token.subject }),
    grant_type: grant.grantType,
    scope: token.scopes.join(' '),
    aud: token.resources,
    jti: token.id,
    exp: token.expiresAt,
  }
}

/**
 * Returns the token response.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export function respond(
  jwt: string,
  { issuedAt, expiresAt, scopes }: AccessToken,
  confirmed: Confirmed,
  { response }: Permit,
): Response {
  const body = {
    ...response,
    access_token: jwt,
    expires_in: expiresAt - issuedAt,
    scope: scopes.join(' '),
    token_type: confirmed.tokenType ?? 'bearer',
  }
  return new Response(JSON.stringify(body), { headers: { ...jsonHeaders, ...confirmed.headers } })
}
