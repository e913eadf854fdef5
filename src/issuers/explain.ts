/**
 * Explains offline what this server would make of a foreign token: which federated credential it matches, or which check fails.
 * The signature and single use are not checked, because they need the issuer's keys and the ledger.
 */

import { readAssertion } from '../assertions/assertion.ts'
import type { AssertionReason } from '../reasons.ts'
import type { ClaimRule, FederatedCredential, TrustedIssuer } from '../types.ts'
import {
  type AssertionForm,
  checkClaims,
  checkHeader,
  checkIssuer,
  credentialsFor,
  findCredential,
  readOrigin,
} from './checks.ts'
import { type Claims, findClaim, matchesClaim } from './claim_rules.ts'
import type { IssuerUse } from './presets.ts'
import { problemOfRules } from './rule_checks.ts'

/** What a token is explained by. */
export interface ExplainOptions {
  readonly credentials: readonly FederatedCredential[]
  readonly issuers: readonly TrustedIssuer[]
  /** Issuer identifier of this server. */
  readonly ownIssuer: string
  readonly form: AssertionForm
  readonly use: IssuerUse
  /** Epoch seconds. */
  readonly now: number
}

/** A rule that does not hold. */
export interface Mismatch {
  readonly claim: string
  readonly expected: ClaimRule
  /** The value in the token, undefined when it has none. */
  readonly found: unknown
}

/** A credential that names the issuer of the token, and what of its rules does not hold. */
export interface Comparison {
  readonly id: string
  readonly label: string | undefined
  readonly mismatches: readonly Mismatch[]
  /** What its rules lack to be used at all, as the end of a sentence. */
  readonly problem: string | undefined
}

/** What would become of a token. */
export interface Explanation {
  /** The reason that the audit event would have; undefined when every check passes that can be made offline. */
  readonly reason: AssertionReason | undefined
  /** The id of the credential that the token matches. */
  readonly credential: string | undefined
  /** The issuer that the token claims, undefined when it claims none. */
  readonly issuer: string | undefined
  /** The credentials that name this issuer and have not expired, in the order in which they are compared. */
  readonly comparisons: readonly Comparison[]
}

const NOTHING: Explanation = { reason: undefined, credential: undefined, issuer: undefined, comparisons: [] }

/** Returns the explanation of a token. It makes the checks of the server in the same order, and no network call. */
export function explainToken(jws: string, options: ExplainOptions): Explanation {
  const { form, issuers, now } = options
  const assertion = readAssertion(jws)
  if (assertion === undefined) return { ...NOTHING, reason: 'assertion_malformed' }
  const badHeader = checkHeader(assertion, form)
  const origin = readOrigin(assertion, form)
  if (typeof origin === 'string') return { ...NOTHING, reason: badHeader ?? origin }
  const named = credentialsFor(options.credentials, origin.issuer, now)
  const issuer = issuers.find((each) => each.issuer === origin.issuer)
  const known = {
    ...NOTHING,
    issuer: origin.issuer,
    comparisons: named.map((credential) => compare(credential, issuer, origin.claims)),
  }
  const refused = badHeader ?? checkIssuer(assertion, named.length === 0 ? undefined : issuer, options)
  if (refused !== undefined || issuer === undefined) return { ...known, reason: refused }
  const credential = findCredential(named, issuer, origin.claims)
  if (credential === undefined) return { ...known, reason: 'federation_no_rule' }
  return { ...known, credential: credential.id, reason: checkClaims(origin.claims, issuer, options) }
}

function compare(
  { id, label, claims: rules }: FederatedCredential,
  issuer: TrustedIssuer | undefined,
  claims: Claims,
): Comparison {
  const mismatches = Object.entries(rules).flatMap(([claim, expected]) => {
    const found = findClaim(claims, claim)
    return matchesClaim(claim, expected, found) ? [] : [{ claim, expected, found }]
  })
  return { id, label, mismatches, problem: issuer && problemOfRules(rules, issuer) }
}
