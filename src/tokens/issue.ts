/** Issues access tokens: signs a new one, or reuses one that is young. */

import { MAX_JWT_CHARACTERS } from '../assertions/assertion.ts'
import { invalidScope, invalidTarget } from '../errors.ts'
import type { SigningKey } from '../keys/signing_key.ts'
import { type AccessToken, type AccessTokenProfile, signAccessToken } from './access_token.ts'
import { type Issued, reuseKeys, reuseSecondsOf, type TokenReuse } from './reuse.ts'

/** What was decided about a token. */
export interface Draft {
  readonly token: Omit<AccessToken, 'id'>
  readonly key: SigningKey
  /** The records that the decision rests on. */
  readonly records: readonly object[]
}

/**
 * Returns a function that issues a token, or returns one that is at most `reuseSeconds` old, within the limits of
 * {@link reuseSecondsOf}. It throws OAuthError `invalid_scope` or `invalid_target` for a token that is too large for this server to
 * read back, because it could not be revoked.
 */
export function tokenIssuer(
  profile: AccessTokenProfile,
  reuse: TokenReuse,
): (draft: Draft, reuseSeconds: number) => Promise<Issued> {
  const keyOf = reuseKeys()
  return async ({ token, key, records }, reuseSeconds) => {
    const sign = async () => {
      const accessToken = { ...token, id: crypto.randomUUID() }
      const jwt = await signAccessToken(accessToken, profile, key)
      requireReadable(jwt, accessToken)
      return { jwt, accessToken }
    }
    const seconds = reuseSecondsOf(reuseSeconds, token.expiresAt - token.issuedAt)
    if (seconds <= 0) return { signed: await sign(), isReused: false }
    return reuse.issue(keyOf(token, profile, [key, ...records]), seconds, token.issuedAt, sign)
  }
}

function requireReadable(jwt: string, { scopes, resources }: AccessToken): void {
  if (jwt.length <= MAX_JWT_CHARACTERS) return
  throw scopes.join(' ').length > resources.join(' ').length
    ? invalidScope('token_too_large', 'The token would be too large; ask for fewer scopes.')
    : invalidTarget('token_too_large', 'The token would be too large; ask for fewer resources.')
}
