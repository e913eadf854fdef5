/** The claims of an access token, RFC 9068 §2.2. */

import type { GuardReason } from './refusals.ts'

type Members = Readonly<Record<string, unknown>>

/** Who acts for the subject, RFC 8693 §4.1. */
export interface Actor {
  readonly sub: string
  /** The actor before this one. For information only. */
  readonly act?: unknown
  readonly [claim: string]: unknown
}

/** A verified access token. Instants are epoch seconds. */
export interface VerifiedToken {
  readonly subject: string
  readonly clientId: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly id: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly actor?: Actor | undefined
  /** RFC 9396 §9.1. */
  readonly authorizationDetails: readonly Members[]
  /** All claims. */
  readonly claims: Members
  /** Headers that the response must have: `DPoP-Nonce`, where the guard has nonces. */
  readonly responseHeaders: Readonly<Record<string, string>>
}

export interface ClaimRules {
  readonly issuer: string
  /** The API goes by these names. A token must be for one of them. */
  readonly audiences: readonly string[]
  readonly clockSkewSeconds: number
  /** `act.sub` of the actors that are accepted; undefined accepts all. */
  readonly actors?: readonly string[] | undefined
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isInstant = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isActor = (value: unknown): value is Actor => isObject(value) && isText(value['sub'])
const isDetail = (value: unknown): value is Members => isObject(value) && isText(value['type'])

const NO_HEADERS: Readonly<Record<string, string>> = {}

/**
 * Returns the token that verified claims describe, or why it is refused.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 §4}
 */
export function readToken(claims: Members, rules: ClaimRules, now: number): VerifiedToken | GuardReason {
  const { iss, sub, client_id, aud, exp, iat, nbf = 0, jti, scope = '', act, authorization_details = [] } = claims
  if (iss !== rules.issuer) return 'token_iss_wrong'
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter(isText)
  if (!audiences.some((audience) => rules.audiences.includes(audience))) return 'token_aud_wrong'
  if (!isText(sub) || !isText(client_id) || !isText(jti) || !isInstant(exp) || !isInstant(iat))
    return 'token_claim_wrong'
  if (!isInstant(nbf) || typeof scope !== 'string') return 'token_claim_wrong'
  if (!Array.isArray(authorization_details) || !authorization_details.every(isDetail)) return 'token_claim_wrong'
  if (act !== undefined && !isActor(act)) return 'token_claim_wrong'
  if (exp + rules.clockSkewSeconds <= now) return 'token_expired'
  if (Math.max(iat, nbf) > now + rules.clockSkewSeconds) return 'token_not_yet_valid'
  if (act !== undefined && rules.actors?.includes(act.sub) === false) return 'token_actor_wrong'
  return {
    subject: sub,
    clientId: client_id,
    audiences,
    scopes: scope.split(' ').filter(isText),
    id: jti,
    issuedAt: iat,
    expiresAt: exp,
    actor: act,
    authorizationDetails: authorization_details,
    claims,
    responseHeaders: NO_HEADERS,
  }
}

/** What a request needs of its token. */
export interface Demands {
  /** Scopes, separated by spaces, all of which are needed. */
  readonly scope?: string | undefined
  /** Scopes, separated by spaces, at least one of which is needed. */
  readonly anyScope?: string | undefined
  /** Returns whether an authorization detail suffices, RFC 9396 §2. One of the token's must. */
  readonly authorizationDetail?: ((detail: Members) => boolean) | undefined
}

/** Returns why a token does not suffice, undefined when it does. Scopes are compared as they are, without wildcards. */
export function checkDemands(
  token: VerifiedToken,
  { scope, anyScope, authorizationDetail }: Demands,
): GuardReason | undefined {
  const has = (name: string): boolean => token.scopes.includes(name)
  if (scope !== undefined && !scope.split(' ').every(has)) return 'scope_insufficient'
  if (anyScope !== undefined && !anyScope.split(' ').some(has)) return 'scope_insufficient'
  return authorizationDetail === undefined || token.authorizationDetails.some(authorizationDetail)
    ? undefined
    : 'authorization_details_insufficient'
}
