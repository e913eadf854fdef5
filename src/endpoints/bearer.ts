/** Bearer tokens of ours: the operator's, from a setting, and those that each client manages itself with. */

import { hashKind } from '../clients/secret_hashes.ts'
import { invalidToken } from '../errors.ts'

/** Gives the token of an `Authorization: Bearer` header. @throws OAuthError `invalid_token` */
export function readBearer(headers: Headers): string {
  const authorization = headers.get('Authorization')
  if (authorization === null) throw invalidToken('token_missing')
  const [, token] = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? []
  if (token === undefined) throw invalidToken('token_wrong')
  return token
}

/** Whether a token is the one that a hash is of. Never for a hash that is slow to compare. */
export async function isTokenOf(token: string, hash: string | undefined): Promise<boolean> {
  const kind = hash === undefined ? undefined : hashKind(hash)
  return hash !== undefined && kind?.costMilliseconds(hash) === 0 && kind.compare(token, hash)
}
