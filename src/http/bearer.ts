/** Bearer tokens of ours: the operator's, from a setting, and those that each client manages itself with. */

import { invalidToken } from '../errors.ts'

/** Gives the token of an `Authorization: Bearer` header. @throws OAuthError `invalid_token` */
export function readBearer(headers: Headers): string {
  const authorization = headers.get('Authorization')
  if (authorization === null) throw invalidToken('token_missing')
  const [, token] = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? []
  if (token === undefined) throw invalidToken('token_wrong')
  return token
}
