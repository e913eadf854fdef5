/** Verification of a foreign token by the federated credentials of one client. */

import type { Assertion } from '../assertions/assertion.ts'
import { claimOnce } from '../assertions/replay.ts'
import { checkSignature, SKEW_SECONDS } from '../assertions/verify.ts'
import { attribute } from '../attribution.ts'
import { invalidClient } from '../errors.ts'
import type { ForeignToken, Proof } from '../features.ts'
import type { AssertionReason } from '../reasons.ts'
import type { FindRecord } from '../records/records.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { Client, Context, TrustedIssuer } from '../types.ts'
import {
  type AssertionForm,
  checkClaims,
  checkHeader,
  checkIssuer,
  credentialsFor,
  findCredential,
  type Origin,
  readOrigin,
} from './checks.ts'
import type { Claims } from './claim_rules.ts'
import type { IssuerKeys } from './keys.ts'
import type { IssuerUse } from './presets.ts'
import { MAX_AGE_SECONDS } from './registry.ts'

/** Most keys that a token without `kid` is tried with. */
export const MAX_TRIES = 5

export interface WorkloadOptions {
  readonly findIssuer: FindRecord<TrustedIssuer>
  readonly keys: Pick<IssuerKeys, 'find'>
  /** Stores the `jti` of tokens that may be used once. */
  readonly ledger: Ledger
}

/** What a token is presented as, and for. */
export interface Presentation {
  readonly form: AssertionForm
  readonly use: IssuerUse
}

/**
 * Returns the proof when the token is one that a federated credential of the client describes, otherwise the reason why not.
 *
 * Only the client's own rules are looked at. They and the time and audience of the token are checked before anything is fetched, so
 * that a caller cannot make this server fetch by sending tokens; only issuers that the rules name are looked up. Nothing is written: the
 * `jti` of a token that may be used once is claimed by the `claim` of the proof.
 *
 * @throws OAuthError `invalid_client`, with what the token claims to be, when it fails a check that comes after the rules;
 * `temporarily_unavailable` when the keys of the issuer or the registry cannot be reached
 */
export type VerifyWorkload = (
  assertion: Assertion,
  client: Client,
  presentation: Presentation,
  context: Context,
) => Promise<AssertionReason | Proof>

/** Returns a function that verifies foreign tokens. */
export function workloadVerifier({ findIssuer, keys, ledger }: WorkloadOptions): VerifyWorkload {
  return async (assertion, { client_id, federated_credentials = [] }, { form, use }, { issuer: ownIssuer, now }) => {
    const badHeader = checkHeader(assertion, form)
    if (badHeader !== undefined) return badHeader
    const origin = readOrigin(assertion, form)
    if (typeof origin === 'string') return origin
    const named = credentialsFor(federated_credentials, origin.issuer, now)
    const issuer = named.length === 0 ? undefined : await findIssuer(origin.issuer)
    const refused = checkIssuer(assertion, issuer, { use, ownIssuer })
    if (refused !== undefined || issuer === undefined) return refused ?? 'federation_issuer_unknown'
    const credential = findCredential(named, issuer, origin.claims)
    if (credential === undefined) return 'federation_no_rule'
    const token = describe(origin)
    const verify = async (): Promise<void> => {
      const reason =
        checkClaims(origin.claims, issuer, { ownIssuer, now }) ??
        (await checkSignature(assertion, keys.find(issuer), MAX_TRIES))
      if (reason !== undefined) throw invalidClient(reason)
    }
    await attribute(client_id, verify, token)
    const claim = issuer.single_use ? () => claimFirst(origin.claims, issuer, ledger) : undefined
    return { ...token, subject: String(origin.claims['sub']), credential, claim }
  }
}

/** @throws OAuthError `invalid_client` when the token was used before, `temporarily_unavailable` when the ledger fails */
async function claimFirst(claims: Claims, issuer: TrustedIssuer, ledger: Ledger): Promise<void> {
  if (!(await isFirstUse(claims, issuer, ledger))) throw invalidClient('assertion_replayed')
}

/** Returns whether a token is used for the first time, whatever it is used for. Rejects when the ledger fails. */
export function isFirstUse({ jti, exp, iat }: Claims, { issuer }: TrustedIssuer, ledger: Ledger): Promise<boolean> {
  // The token may claim to be valid for years. The largest max_age counts, because that of the issuer can be raised later.
  const tooOldAt = typeof iat === 'number' ? iat + MAX_AGE_SECONDS : Number.POSITIVE_INFINITY
  const expiresAt = Math.ceil(Math.min(Number(exp) + SKEW_SECONDS, tooOldAt + 1))
  return claimOnce(ledger, ['workload', issuer, String(jti)], expiresAt)
}

/** Returns what a token claims to be, for the audit event. */
export function describe({ issuer, claims: { sub, jti } }: Origin): ForeignToken {
  const textOf = (claim: unknown): string | undefined => (typeof claim === 'string' ? claim : undefined)
  return { issuer, subject: textOf(sub), id: textOf(jti) }
}
