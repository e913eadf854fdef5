/** Bearer tokens in the Authorization header. */

import { invalidToken } from '../errors.ts'

/**
 * Returns the token of an `Authorization: Bearer` header.
 *
 * @throws OAuthError `invalid_token` when the header is missing or malformed
 */
export function readBearer(headers: Headers): string {
  const authorization = headers.get('Authorization')
  if (authorization === null) throw invalidToken('token_missing')
  const [, token] = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? []
  if (token === undefined) throw invalidToken('token_wrong')
  return token
}
