/** Verifies a JWT that somebody else signed: header, key, signature, claims, and last that it was not used before. */

import type { AssertionReason } from '../reasons.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { Jwk } from '../types.ts'
import { ASSERTION_ALGORITHMS, isSameAlgorithm } from './algorithms.ts'
import type { Assertion } from './assertion.ts'
import { fittingKeys } from './jwk_set.ts'
import { claimOnce } from './replay.ts'
import { isSignedBy } from './signature.ts'

/** Clocks of clients may differ from ours by so much. */
const SKEW_SECONDS = 30

/** Gives the keys of the signer; `refresh` asks for newer ones than were known, where there is a source. */
export type FindKeys = (options?: { readonly refresh: boolean }) => Promise<readonly Jwk[]>

/** What an assertion must say. */
export interface AssertionRules {
  /** Lower-case values of `typ` that may stand there. */
  readonly types: readonly string[]
  /** The only algorithm, if the signer is bound to one. */
  readonly alg: string | undefined
  readonly findKeys: FindKeys
  readonly issuer: string
  /** Whether the assertion may speak for this `sub`. */
  isSubject(sub: unknown): boolean
  /** One of these has to be the one audience. */
  readonly audiences: readonly string[]
  /** How far ahead `exp` may lie. */
  readonly maxLifetimeSeconds: number
  /** Epoch seconds. */
  readonly now: number
  /** Absent for an assertion that may be presented again until it expires; then it needs no `jti`. */
  readonly once?: SingleUse
}

/** How an assertion is kept from being used twice. */
export interface SingleUse {
  readonly ledger: Ledger
  /** What the assertion is used for: the same `jti` of one issuer may be used once for each purpose. */
  readonly purpose: string
}

/**
 * Gives undefined when the assertion holds, else why not.
 *
 * @throws OAuthError `temporarily_unavailable` when keys or ledger cannot be reached
 * @see RFC 7523 §3, RFC 8725 §3
 */
export async function verifyAssertion(
  assertion: Assertion,
  rules: AssertionRules,
): Promise<AssertionReason | undefined> {
  return (
    checkHeader(assertion, rules) ??
    (await checkSignature(assertion, rules)) ??
    checkParties(assertion, rules) ??
    checkTimes(assertion, rules) ??
    (await checkFirst(assertion, rules))
  )
}

function checkHeader({ header }: Assertion, { types, alg }: AssertionRules): AssertionReason | undefined {
  const { typ, kid } = header
  if (typ !== undefined && !(typeof typ === 'string' && types.includes(typ.toLowerCase()))) return 'assertion_typ_wrong'
  if ('crit' in header || 'b64' in header) return 'assertion_crit'
  if (kid !== undefined && typeof kid !== 'string') return 'assertion_malformed'
  const isKnown = typeof header['alg'] === 'string' && ASSERTION_ALGORITHMS.has(header['alg'])
  return isKnown && (alg === undefined || isSameAlgorithm(header['alg'], alg)) ? undefined : 'assertion_alg_not_allowed'
}

async function checkSignature(
  { jws, header }: Assertion,
  { findKeys }: AssertionRules,
): Promise<AssertionReason | undefined> {
  const [alg, kid] = [header['alg'] as string, header['kid'] as string | undefined]
  let keys = fittingKeys(await findKeys(), alg, kid)
  if (keys.length === 0) keys = fittingKeys(await findKeys({ refresh: true }), alg, kid)
  if (keys.length === 0) return 'assertion_key_unknown'
  for (const key of keys) if (await isSignedBy(jws, key, alg)) return undefined
  return 'assertion_signature_wrong'
}

function checkParties(
  { claims }: Assertion,
  { issuer, isSubject, audiences }: AssertionRules,
): AssertionReason | undefined {
  if (claims['iss'] !== issuer) return 'assertion_iss_wrong'
  if (!isSubject(claims['sub'])) return 'assertion_sub_wrong'
  const [audience, another] = [claims['aud']].flat()
  return another === undefined && audiences.some((each) => each === audience) ? undefined : 'assertion_aud_wrong'
}

function checkTimes({ claims }: Assertion, { now, maxLifetimeSeconds }: AssertionRules): AssertionReason | undefined {
  const { exp, nbf = now, iat = now } = claims
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'assertion_exp_missing'
  if (exp + SKEW_SECONDS <= now) return 'assertion_expired'
  if (exp > now + maxLifetimeSeconds + SKEW_SECONDS) return 'assertion_lives_too_long'
  const isYetToCome = (instant: unknown): boolean => typeof instant !== 'number' || instant > now + SKEW_SECONDS
  return isYetToCome(nbf) || isYetToCome(iat) ? 'assertion_not_yet_valid' : undefined
}

/** After all else: an assertion that is refused must not use up its `jti`. */
async function checkFirst(
  { claims }: Assertion,
  { issuer, once }: AssertionRules,
): Promise<AssertionReason | undefined> {
  if (once === undefined) return undefined
  const { jti, exp } = claims
  if (typeof jti !== 'string' || jti === '') return 'assertion_jti_missing'
  const expiresAt = Math.ceil(Number(exp)) + SKEW_SECONDS
  return (await claimOnce(once.ledger, [once.purpose, issuer, jti], expiresAt)) ? undefined : 'assertion_replayed'
}
