/** The checks of a foreign token that need neither its signature nor a store. They return the reason of a refusal. */

import { ASSERTION_ALGORITHMS, isSameAlgorithm } from '../assertions/algorithms.ts'
import type { Assertion } from '../assertions/assertion.ts'
import { checkEnd, checkStart } from '../assertions/verify.ts'
import type { AssertionReason } from '../reasons.ts'
import type { FederatedCredential, TrustedIssuer } from '../types.ts'
import { type Claims, matchesClaims } from './claim_rules.ts'
import type { IssuerUse } from './presets.ts'
import { problemOfRules } from './rule_checks.ts'
import { readSpiffeId, trustDomainIssuer } from './spiffe_id.ts'

/** How a foreign token is presented: as any JWT, or as a JWT-SVID of SPIFFE. */
export type AssertionForm = 'jwt' | 'jwt-spiffe'

/** Types of JWTs that say no more than that they are JWTs. */
const PLAIN_TYPES: readonly string[] = ['jwt', 'jose']

/** All that the header of a JWT-SVID may have, JWT-SVID §2. */
const SVID_HEADER: readonly string[] = ['alg', 'kid', 'typ']

const MAX_SUBJECT_CHARACTERS = 2048

/** Whom a token is from, and its claims in the form in which rules are compared with them. */
export interface Origin {
  /** Identifier of the issuer to look up; claimed and not verified. */
  readonly issuer: string
  readonly claims: Claims
}

/** Returns undefined for a header that no issuer could make acceptable otherwise. Keys in the header are ignored. */
export function checkHeader({ header }: Assertion, form: AssertionForm): AssertionReason | undefined {
  const { alg, kid } = header
  if ('crit' in header || 'b64' in header) return 'assertion_crit'
  if (kid !== undefined && typeof kid !== 'string') return 'assertion_malformed'
  if (typeof alg !== 'string' || !ASSERTION_ALGORITHMS.has(alg)) return 'assertion_alg_not_allowed'
  const isStrict = form === 'jwt-spiffe'
  return isStrict && Object.keys(header).some((name) => !SVID_HEADER.includes(name)) ? 'assertion_malformed' : undefined
}

/** Returns the origin that a token claims: its `iss`, or for a JWT-SVID the trust domain of its `sub`. */
export function readOrigin({ claims }: Assertion, form: AssertionForm): Origin | AssertionReason {
  const { iss, sub } = claims
  if (form === 'jwt') {
    // A trust domain vouches for JWT-SVIDs alone.
    const isIssuer = typeof iss === 'string' && !iss.startsWith('spiffe:')
    return isIssuer ? { issuer: iss, claims } : 'federation_issuer_unknown'
  }
  const id = readSpiffeId(sub)
  if (id === undefined) return 'assertion_sub_wrong'
  const issuer = trustDomainIssuer(id.trustDomain)
  return { issuer, claims: { ...claims, sub: issuer + id.path } }
}

/** Returns the credentials that name an issuer and have not expired. */
export function credentialsFor(
  credentials: readonly FederatedCredential[],
  issuer: string,
  now: number,
): readonly FederatedCredential[] {
  return credentials.filter(
    ({ issuer: named, expires_at = 0 }) => named === issuer && (expires_at === 0 || now < expires_at),
  )
}

/** Returns undefined when the issuer's record accepts tokens with this header for this use. */
export function checkIssuer(
  { header }: Assertion,
  issuer: TrustedIssuer | undefined,
  { use, ownIssuer }: { readonly use: IssuerUse; readonly ownIssuer: string },
): AssertionReason | undefined {
  const isUsable = issuer !== undefined && !issuer.disabled && issuer.uses.includes(use)
  if (!isUsable || issuer.issuer === ownIssuer) return 'federation_issuer_unknown'
  if (!issuer.signing_algs.some((alg) => isSameAlgorithm(alg, header['alg']))) return 'assertion_alg_not_allowed'
  const { typ } = header
  const types = [...PLAIN_TYPES, ...(issuer.token_types ?? [])]
  return typ === undefined || (typeof typ === 'string' && types.includes(typ.toLowerCase()))
    ? undefined
    : 'assertion_typ_wrong'
}

/**
 * Returns the first credential whose rules hold. Rules that pin none of the claims that the issuer requires never hold: the record
 * of the issuer may have been changed after they were saved.
 */
export function findCredential(
  credentials: readonly FederatedCredential[],
  issuer: TrustedIssuer,
  claims: Claims,
): FederatedCredential | undefined {
  return credentials.find(
    (credential) => problemOfRules(credential.claims, issuer) === undefined && matchesClaims(credential.claims, claims),
  )
}

/** Returns undefined when the token is valid at this time, for this server alone, and has a subject. */
export function checkClaims(
  claims: Claims,
  issuer: TrustedIssuer,
  { ownIssuer, now }: { readonly ownIssuer: string; readonly now: number },
): AssertionReason | undefined {
  const untimely = checkEnd(claims, now) ?? checkStart(claims, now) ?? checkAge(claims, issuer, now)
  if (untimely !== undefined) return untimely
  // A party that the token is also for could present it here.
  const [audience, another] = [claims['aud']].flat()
  const audiences: readonly unknown[] = [ownIssuer, ...(issuer.audiences ?? [])]
  if (another !== undefined || !audiences.includes(audience)) return 'assertion_aud_wrong'
  const { sub } = claims
  const isSubject = typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT_CHARACTERS
  if (!isSubject) return 'assertion_sub_wrong'
  return issuer.single_use && !isId(claims['jti']) ? 'assertion_jti_missing' : undefined
}

function checkAge({ iat, exp }: Claims, { max_age }: TrustedIssuer, now: number): AssertionReason | undefined {
  const isOld = typeof iat === 'number' ? now - iat > max_age : Number(exp) > now + max_age
  return isOld ? 'assertion_too_old' : undefined
}

function isId(jti: unknown): boolean {
  return typeof jti === 'string' && jti !== ''
}
