/** Verification of an assertion of a trusted issuer that a client presents as an authorization grant. */

import { type Assertion, readAssertion } from '../assertions/assertion.ts'
import { checkSignature } from '../assertions/verify.ts'
import { OAuthError } from '../errors.ts'
import type { ForeignToken } from '../features.ts'
import type { AuthorizationReason } from '../reasons.ts'
import type { Client, Context, TrustedIssuer } from '../types.ts'
import { checkClaims, checkHeader, checkIssuer, readOrigin } from './checks.ts'
import type { Claims } from './claim_rules.ts'
import { describe, isFirstUse, MAX_TRIES, type WorkloadOptions } from './verify.ts'

/** The `typ` of an identity assertion authorization grant, in lower case. */
const ID_JAG_TYPE = 'oauth-id-jag+jwt'

/** An assertion that is good. */
export interface VerifiedGrant {
  /** The use of the issuer that it was accepted for. */
  readonly use: 'jwt_bearer' | 'id_jag'
  readonly issuer: TrustedIssuer
  readonly claims: Claims
  /** Uses up an assertion that may be used once. Rejects with OAuthError `invalid_grant` when it was used before. */
  readonly claim?: () => Promise<void>
}

/**
 * Verifies an assertion. Its `typ` decides whether it is an identity assertion authorization grant. Issuers that the client's record
 * does not name are not looked up, and nothing is fetched for an assertion that could not be accepted.
 *
 * @throws OAuthError `invalid_grant`, or `temporarily_unavailable` when the keys of the issuer or the registry cannot be reached
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3.1 RFC 7523 §3.1}
 */
export type VerifyGrant = (jws: string, client: Client, context: Context) => Promise<VerifiedGrant>

/** Returns a function that verifies assertions. */
export function grantVerifier({ findIssuer, keys, ledger }: WorkloadOptions): VerifyGrant {
  return async (jws, client, context) => {
    const assertion = readAssertion(jws)
    if (assertion === undefined) throw invalidGrant('assertion_malformed')
    const origin = readOrigin(assertion, 'jwt')
    if (typeof origin === 'string') throw invalidGrant(origin)
    const isNamed = client.assertion_issuers?.includes(origin.issuer)
    const issuer = isNamed ? await findIssuer(origin.issuer) : undefined
    const use = isIdJag(assertion) ? 'id_jag' : 'jwt_bearer'
    const refused = checkHeader(assertion, 'jwt') ?? checkUse(assertion, issuer, use, context)
    if (refused !== undefined || issuer === undefined) throw invalidGrant(refused ?? 'federation_issuer_unknown')
    const token = describe(origin)
    const { claims } = assertion
    const reason =
      checkClaims(claims, audienceRules(issuer, use, context), { ownIssuer: context.issuer, now: context.now }) ??
      (use === 'id_jag' ? checkIdJag(claims, client) : undefined) ??
      (await checkSignature(assertion, keys.find(issuer), MAX_TRIES))
    if (reason !== undefined) throw invalidGrant(reason, token)
    const claim = async (): Promise<void> => {
      if (!(await isFirstUse(claims, issuer, ledger))) throw invalidGrant('assertion_replayed', token)
    }
    return { use, issuer, claims, ...(issuer.single_use && { claim }) }
  }
}

/** Has the same text for every assertion that is not acceptable, so that the answer does not reveal which issuers are trusted. */
export function invalidGrant(reason: AuthorizationReason, assertion?: ForeignToken): OAuthError {
  return new OAuthError('invalid_grant', reason, 'The assertion is not acceptable.', { assertion })
}

function isIdJag({ header: { typ } }: Assertion): boolean {
  return typeof typ === 'string' && typ.toLowerCase() === ID_JAG_TYPE
}

function checkUse(
  assertion: Assertion,
  issuer: TrustedIssuer | undefined,
  use: VerifiedGrant['use'],
  context: Context,
): AuthorizationReason | undefined {
  const accepting = use === 'id_jag' && issuer !== undefined ? { ...issuer, token_types: [ID_JAG_TYPE] } : issuer
  return checkIssuer(assertion, accepting, { use, ownIssuer: context.issuer })
}

/** An identity assertion is for the issuer identifier alone; for others, the token endpoint is good as well, RFC 7523 §3. */
function audienceRules(issuer: TrustedIssuer, use: VerifiedGrant['use'], { tokenEndpoint }: Context): TrustedIssuer {
  return { ...issuer, audiences: use === 'id_jag' ? [] : [...(issuer.audiences ?? []), tokenEndpoint] }
}

/** Checks what an identity assertion needs besides. */
function checkIdJag({ client_id, jti, iat }: Claims, client: Client): AuthorizationReason | undefined {
  if (client_id !== client.client_id) return 'assertion_client_wrong'
  if (typeof jti !== 'string' || jti === '') return 'assertion_jti_missing'
  return typeof iat === 'number' ? undefined : 'assertion_iat_missing'
}
