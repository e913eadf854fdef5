/** Sentences that say why a server would refuse a token, without the full stop. Pure. */

import { MAX_JWT_CHARACTERS, readAssertion } from '../assertions/assertion.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import type { Explanation } from '../issuers/explain.ts'
import type { AssertionReason } from '../reasons.ts'
import type { FederatedCredential, TrustedIssuer } from '../types.ts'
import type { Members } from './http.ts'
import { registration } from './issuer_records.ts'
import { instant } from './output.ts'

/** A token, and all that it was compared with. */
export interface Facts {
  /** `client_id` */
  readonly id: string
  readonly token: string
  readonly client: Members
  readonly credentials: readonly FederatedCredential[]
  /** The records of the issuers that the credentials name. */
  readonly issuers: readonly TrustedIssuer[]
  readonly ownIssuer: string
  readonly form: AssertionForm
  /** Epoch seconds. */
  readonly now: number
  readonly explanation: Explanation
}

interface Parsed extends Facts {
  readonly header: Members
  readonly claims: Members
  readonly issuer: TrustedIssuer | undefined
}

const MAX_VALUE_CHARACTERS = 200

/** Returns why the token would be refused, undefined if it would not. */
export function whyRefused(facts: Facts): string | undefined {
  const { explanation, token, issuers } = facts
  const { reason } = explanation
  if (reason === undefined) return undefined
  const assertion = readAssertion(token)
  if (assertion === undefined) return malformedText(token)
  const issuer = issuers.find((each) => each.issuer === explanation.issuer)
  return WHY[reason]?.({ ...facts, header: assertion.header, claims: assertion.claims, issuer }) ?? 'see docs/audit.md'
}

function malformedText(token: string): string {
  const parts = token.split('.').length
  if (token.length > MAX_JWT_CHARACTERS) return `it has more than ${MAX_JWT_CHARACTERS} characters`
  if (parts !== 3)
    return `it is not a signed JWT: it has ${parts === 1 ? 'one part' : `${parts} parts`} instead of three`
  return 'its parts are not canonical base64url of JSON objects without repeated members'
}

const WHY: Readonly<Partial<Record<AssertionReason, (parsed: Parsed) => string>>> = {
  assertion_malformed: ({ form }) =>
    form === 'jwt-spiffe' ? 'the header of a JWT-SVID has alg, kid and typ only' : 'its kid is not a string',
  assertion_crit: () => 'its header has crit or b64, which the server does not know',
  assertion_alg_not_allowed: ({ header, issuer }) =>
    `its alg is ${shown(header['alg'])}, and ${issuer ? `the issuer's signing_algs are ${issuer.signing_algs.join(', ')}` : 'the server accepts no such algorithm'}`,
  assertion_typ_wrong: ({ header }) =>
    `its typ is ${shown(header['typ'])}, which says that it is another kind of JWT; token_types of the issuer accepts more`,
  assertion_sub_wrong: ({ claims, form }) =>
    form === 'jwt-spiffe'
      ? `its sub, ${shown(claims['sub'])}, is not a SPIFFE ID`
      : 'its sub is absent, empty or too long',
  federation_issuer_unknown: unknownText,
  federation_no_rule: ({ id }) => `its issuer is trusted, and no credential of ${id} for it matches`,
  assertion_exp_missing: () => 'it has no exp that is a number',
  assertion_expired: ({ claims, now }) => `it expired at ${when(claims['exp'])}, ${now - Number(claims['exp'])} s ago`,
  assertion_not_yet_valid: ({ claims }) =>
    `its nbf ${when(claims['nbf'])} or its iat ${when(claims['iat'])} is not an instant in the past`,
  assertion_too_old: ({ claims, issuer, now }) =>
    claims['iat'] === undefined
      ? `it has no iat, and its exp is more than max_age, ${issuer?.max_age} s, ahead`
      : `it was issued ${now - Number(claims['iat'])} s ago, and max_age of the issuer is ${issuer?.max_age} s`,
  assertion_aud_wrong: ({ claims, issuer, ownIssuer }) => {
    const accepted = [ownIssuer, ...(issuer?.audiences ?? [])].join(' or ')
    return `its aud is ${shown(claims['aud'])}, and must be ${accepted}, alone`
  },
  assertion_jti_missing: () => 'it has no jti, and tokens of its issuer are accepted once',
}

/** Why no issuer of a credential is that of the token. */
function unknownText({ id, claims, credentials, issuer, explanation, now, ownIssuer }: Parsed): string {
  const name = explanation.issuer
  if (name === undefined)
    return typeof claims['iss'] === 'string'
      ? `its iss, ${shown(claims['iss'])}, is a trust domain, for which the client must have the method spiffe_jwt`
      : `its iss is ${shown(claims['iss'])}, which is not a string`
  if (name === ownIssuer) return 'it is a token of this server'
  const expired = credentials.find(
    ({ issuer, expires_at = 0 }) => issuer === name && expires_at > 0 && expires_at <= now,
  )
  if (explanation.comparisons.length === 0) {
    const alike = credentials.find((each) => each.issuer.replace(/\/$/, '') === name.replace(/\/$/, ''))?.issuer
    if (expired !== undefined)
      return `the credential ${expired.id} for its issuer expired at ${when(expired.expires_at)}`
    const hint = alike === undefined ? '' : `; one names ${alike}, and the final slash counts`
    return `no credential of ${id} names its issuer ${shown(name)}${hint}`
  }
  if (issuer === undefined) return `${name} is not a trusted issuer; register it: ${registration(name)}`
  return issuer.disabled ? `the issuer ${name} is disabled` : `uses of the issuer ${name} has no client_authentication`
}

function when(value: unknown): string {
  return value === undefined ? '(absent)' : String(typeof value === 'number' ? instant(value) : shown(value))
}

function shown(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text
}
