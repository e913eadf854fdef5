/** Our own access tokens: which claims they carry, and their signature. */

import type { JWTPayload } from 'jose'
import type { SigningKey } from '../keys/signing_key.ts'
import { signJwt } from './sign.ts'

/** What a token says. Instants are epoch seconds. */
export interface AccessToken {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  /** Identifiers of the resource servers it is for; may be empty. */
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** What its holder has to prove, RFC 7800 §3.1; may be empty. */
  readonly cnf: Readonly<Record<string, string>>
  /** Who acts for the subject, RFC 8693 §4.1. */
  readonly actor?: Readonly<Record<string, unknown>> | undefined
  /** Static members of the client's tokens. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** No setting lets a token live longer, and denials of tokens count on it. */
export const MAX_TOKEN_LIFETIME_SECONDS: number = 30 * 24 * 60 * 60

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

/** Claims that say what a token is and whom it speaks for: no client's record can set them. */
const PROTECTED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'azp', 'scope', 'scp', 'cnf', 'act', 'may_act'],
  ...['status', 'active', 'token_type', 'token_use', 'username', 'acr', 'amr', 'auth_time'],
])

/** Whether a client's record may set this claim. */
export function isFreeClaim(name: string): boolean {
  return !PROTECTED.has(name)
}

/** Signs a token as a JWT. */
export function signAccessToken(token: AccessToken, profile: AccessTokenProfile, key: SigningKey): Promise<string> {
  const { typ, claims } = accessTokenProfiles[profile]
  const payload = {
    ...Object.fromEntries(Object.entries(token.claims).filter(([name]) => isFreeClaim(name))),
    iss: token.issuer,
    sub: token.subject,
    client_id: token.clientId,
    ...claims(token),
    iat: token.issuedAt,
    exp: token.expiresAt,
    jti: token.id,
    ...(Object.keys(token.cnf).length > 0 && { cnf: token.cnf }),
    ...(token.actor !== undefined && { act: token.actor }),
  }
  return signJwt(payload, typ, key)
}
