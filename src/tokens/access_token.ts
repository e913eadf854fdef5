/** Our own access tokens: which claims they carry, and their signature. */

import { type JWTPayload, SignJWT } from 'jose'
import type { SigningKey } from '../keys/keyring.ts'

/** What a token says. Instants are epoch seconds. */
export interface AccessToken {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  /** Identifiers of the resource servers asked for; may be empty. */
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
}

interface Profile {
  readonly typ: string
  claims(token: AccessToken): JWTPayload
}

/** Shapes of a token; the name is the value of ACCESS_TOKEN_PROFILE. */
export const accessTokenProfiles: { readonly rfc9068: Profile; readonly fosite: Profile } = {
  /** RFC 9068 §2; without a resource the token is for the issuer itself. */
  rfc9068: {
    typ: 'at+jwt',
    claims: ({ issuer, scopes, resources }) => ({
      aud: resources.length > 1 ? [...resources] : (resources[0] ?? issuer),
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    }),
  },
  /** What resource servers behind ory/fosite and Hydra expect: lists, also when empty. */
  fosite: {
    typ: 'JWT',
    claims: ({ scopes, resources }) => ({ aud: [...resources], scp: [...scopes] }),
  },
}

export type AccessTokenProfile = keyof typeof accessTokenProfiles

/** Signs a token as a JWT. */
export function signAccessToken(token: AccessToken, profile: AccessTokenProfile, key: SigningKey): Promise<string> {
  const { typ, claims } = accessTokenProfiles[profile]
  return new SignJWT({
    iss: token.issuer,
    sub: token.subject,
    client_id: token.clientId,
    ...claims(token),
    iat: token.issuedAt,
    exp: token.expiresAt,
    jti: token.id,
  })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ })
    .sign(key.privateKey)
}
