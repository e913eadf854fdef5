/** Verification of a JWT that a client signed: header, key, signature, claims, and finally that it was not used before. */

import type { AssertionReason } from '../reasons.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { Jwk } from '../types.ts'
import { ASSERTION_ALGORITHMS, isSameAlgorithm } from './algorithms.ts'
import type { Assertion } from './assertion.ts'
import { fittingKeys } from './fitting_keys.ts'
import { claimOnce } from './replay.ts'
import { isSignedBy } from './signature.ts'

/** Maximum difference between the clocks of a client and this server. */
export const SKEW_SECONDS = 30

/** Returns the keys of the signer. `refresh` fetches newer keys if the signer publishes them at a URL. */
export type FindKeys = (options?: { readonly refresh: boolean }) => Promise<readonly Jwk[]>

/** The requirements that an assertion must meet. */
export interface AssertionRules {
  /** The accepted values of `typ`, in lower case. An absent `typ` is accepted, too. */
  readonly types: readonly string[]
  /** The only accepted algorithm, if the signer has registered one. */
  readonly alg: string | undefined
  readonly findKeys: FindKeys
  readonly issuer: string
  /** Returns whether `sub` is acceptable. */
  isSubject(sub: unknown): boolean
  /** The accepted audiences. `aud` must hold exactly one of them and no other value. */
  readonly audiences: readonly string[]
  /** Maximum time from `now` to `exp`, not counting the skew. */
  readonly maxLifetimeSeconds: number
  /** Epoch seconds. */
  readonly now: number
  /** Without it, the assertion may be used again until it expires and needs no `jti`. */
  readonly once?: SingleUse
}

/** How to ensure that an assertion is used only once. */
export interface SingleUse {
  readonly ledger: Ledger
  /** The purpose of the assertion. A `jti` of an issuer may be used once for each purpose. */
  readonly purpose: string
}

/**
 * Returns undefined for a valid assertion, otherwise the reason why it is not.
 *
 * @throws OAuthError `temporarily_unavailable` when the keys or the ledger cannot be reached
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 RFC 7523 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3 RFC 8725 §3}
 */
export async function verifyAssertion(
  assertion: Assertion,
  rules: AssertionRules,
): Promise<AssertionReason | undefined> {
  return (
    checkHeader(assertion, rules) ??
    (await checkSignature(assertion, rules.findKeys)) ??
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

/**
 * Returns undefined when a key of the signer signed the assertion. The `alg` and `kid` of its header must have been checked.
 *
 * @param maxTries the number of keys that are tried for an assertion without `kid`
 * @throws OAuthError `temporarily_unavailable` when the keys cannot be fetched
 */
export async function checkSignature(
  { jws, header }: Assertion,
  findKeys: FindKeys,
  maxTries: number = Number.POSITIVE_INFINITY,
): Promise<AssertionReason | undefined> {
  const [alg, kid] = [header['alg'] as string, header['kid'] as string | undefined]
  let keys = fittingKeys(await findKeys(), alg, kid)
  if (keys.length === 0) keys = fittingKeys(await findKeys({ refresh: true }), alg, kid)
  if (keys.length === 0) return 'assertion_key_unknown'
  for (const key of keys.slice(0, maxTries)) if (await isSignedBy(jws, key, alg)) return undefined
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
  const isTooLong = Number(claims['exp']) > now + maxLifetimeSeconds + SKEW_SECONDS
  return checkEnd(claims, now) ?? (isTooLong ? 'assertion_lives_too_long' : checkStart(claims, now))
}

/** Returns undefined when `exp` is an instant that has not passed. Clocks may differ by the skew. */
export function checkEnd({ exp }: Assertion['claims'], now: number): AssertionReason | undefined {
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'assertion_exp_missing'
  return exp + SKEW_SECONDS <= now ? 'assertion_expired' : undefined
}

/** Returns undefined when neither `nbf` nor `iat` is in the future. Clocks may differ by the skew. */
export function checkStart({ nbf, iat }: Assertion['claims'], now: number): AssertionReason | undefined {
  const isYetToCome = (instant: unknown): boolean =>
    instant !== undefined && (typeof instant !== 'number' || instant > now + SKEW_SECONDS)
  return isYetToCome(nbf) || isYetToCome(iat) ? 'assertion_not_yet_valid' : undefined
}

/** Runs last, because an assertion that is refused must not use up its `jti`. */
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
