/** The access tokens that this server issues: their claims and their signature. */

import type { JWTPayload } from 'jose'
import type { SigningKey } from '../keys/signing_key.ts'
import { signJwt } from './sign.ts'

/** The content of an access token. Instants are epoch seconds. */
export interface AccessToken {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  /** Identifiers of the resource servers that it is for; may be empty. */
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
  /** Confirmation of the key that its holder must prove to have, RFC 7800 §3.1; may be empty. */
  readonly cnf: Readonly<Record<string, string>>
  /** Who acts for the subject, RFC 8693 §4.1. */
  readonly actor?: Readonly<Record<string, unknown>> | undefined
  /** The only party that may act for the subject, RFC 8693 §4.4. */
  readonly mayAct?: Readonly<Record<string, unknown>> | undefined
  /** Static claims, from the client's record or from the token that it was exchanged for. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Upper limit of every lifetime setting. Denials of tokens are kept for this long. */
export const MAX_TOKEN_LIFETIME_SECONDS: number = 30 * 24 * 60 * 60

interface Profile {
  readonly typ: string
  claims(token: AccessToken): JWTPayload
}

/** Lifetime of a token, unless a setting, its client or its resource server says otherwise. */
export const DEFAULT_TOKEN_LIFETIME_SECONDS: number = 30 * 60

/** Token formats, by the value of ACCESS_TOKEN_PROFILE. */
export const accessTokenProfiles: { readonly rfc9068: Profile; readonly fosite: Profile } = {
  /** RFC 9068 §2. Without a resource, the audience is the issuer. */
  rfc9068: {
    typ: 'at+jwt',
    claims: ({ issuer, scopes, resources }) => ({
      aud: resources.length > 1 ? [...resources] : (resources[0] ?? issuer),
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    }),
  },
  /** The format that resource servers of ory/fosite and Hydra expect: `aud` and `scp` are always lists, even if empty. */
  fosite: {
    typ: 'JWT',
    claims: ({ scopes, resources }) => ({ aud: [...resources], scp: [...scopes] }),
  },
}

export type AccessTokenProfile = keyof typeof accessTokenProfiles

export const DEFAULT_TOKEN_PROFILE: AccessTokenProfile = 'rfc9068'

/** Claims that identify a token, its subject or its rights. A client's record cannot set them. */
const PROTECTED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'azp', 'scope', 'scp', 'cnf', 'act', 'may_act'],
  ...['status', 'active', 'token_type', 'token_use', 'username', 'acr', 'amr', 'auth_time'],
])

/** Returns whether a client's record may set this claim. */
export function isFreeClaim(name: string): boolean {
  return !PROTECTED.has(name)
}

/** Returns an access token as a signed JWT. */
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
    ...(token.mayAct !== undefined && { may_act: token.mayAct }),
  }
  return signJwt(payload, typ, key)
}
