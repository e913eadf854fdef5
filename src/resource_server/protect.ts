/** Protects an API: finds the token of a request, verifies it, and says what is missing. */

import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import { MAX_JWT_CHARACTERS } from '../assertions/assertion.ts'
import { epochSeconds } from '../lib/clock.ts'
import { isSafeUrl } from '../lib/safe_url.ts'
import { type BindingOptions, bindings, type ClientCertificate, type FindClientCertificate } from './bindings.ts'
import { type Refused, refuse } from './challenge.ts'
import { type GuardedRequest, readCredentials } from './credentials.ts'
import { type Fetch, platformFetch } from './documents.ts'
import type { GuardEvent, OnEvent } from './events.ts'
import { type IssuerMetadata, issuerOf } from './issuer.ts'
import type { WaitUntil } from './refreshed.ts'
import type { GuardReason } from './refusals.ts'
import { type ClaimProof, replayMemory } from './replays.ts'
import type { CheckRevocation, RevocationChecks } from './revocation_checks.ts'
import { verifySigned } from './signed.ts'
import { checkDemands, type Demands, readToken, type VerifiedToken } from './token.ts'

const DEFAULT_SKEW_SECONDS = 30
const MAX_SKEW_SECONDS = 300

const MIN_SECRET_CHARACTERS = 16

/** RFC 9068 §2.1. */
const TYPES: readonly string[] = ['at+jwt', 'application/at+jwt']

export interface ProtectOptions {
  /** The issuer, exactly as it calls itself. An https URL. */
  readonly issuer: string
  /** The identifier of the API, or several. A token must be for one of them. */
  readonly audience: string | readonly string[]
  /** Accepted signature algorithms. By default all that are asymmetric. */
  readonly algorithms?: readonly string[] | undefined
  /** Maximum difference between the clocks of the issuer and the API. 30 by default, at most 300. */
  readonly clockSkewSeconds?: number | undefined
  /** How revocations are seen: `revocationList()` or `introspection({ … })`. By default they are not, and a token is good until it expires. */
  readonly revocations?: RevocationChecks | undefined
  /** `act.sub` of the parties that may act for others. By default all. */
  readonly actors?: readonly string[] | undefined
  readonly dpop?: DpopOptions | undefined
  /** Returns the client certificate of the connection. By default there is none, and tokens that are bound to one are refused. */
  readonly certificate?: FindClientCertificate | undefined
  /** URL of the metadata of the API, named in challenges. */
  readonly resourceMetadata?: string | undefined
  /** What to use instead of the metadata that the issuer publishes. */
  readonly metadata?: IssuerMetadata | undefined
  readonly onEvent?: OnEvent | undefined
  /** `fetch` by default. It must honor `redirect: 'manual'`. */
  readonly fetch?: Fetch | undefined
  /** Returns epoch seconds. */
  readonly now?: (() => number) | undefined
}

/** How DPoP proofs are checked. Tokens that are bound to a key always need one. */
export interface DpopOptions {
  /** Whether tokens that are not bound to a key are refused. */
  readonly required?: boolean | undefined
  /** The origin that clients know, such as `https://api.example.com`, if a proxy changes the URL of requests. */
  readonly origin?: string | undefined
  /** At least 16 octets of entropy, the same in all processes of the API. With it, proofs must hold a nonce of the API. */
  readonly nonceSecret?: string | undefined
  /** Marks proofs as used, where several processes should know of each other's. By default in the memory of this one. */
  readonly claim?: ClaimProof | undefined
}

/** What a request needs, and what is known of it. */
export interface GuardDemands extends Demands {
  /** The client certificate, where the caller has it already. */
  readonly certificate?: ClientCertificate | undefined
  /** `ctx.waitUntil` of a Worker. Without it, documents of the issuer are fetched again while a request waits. */
  readonly waitUntil?: WaitUntil | undefined
}

/** Returns the verified token of a request, or the response that refuses it. Never rejects because of what a request holds. */
export type Guard = (request: GuardedRequest, demands?: GuardDemands) => Promise<VerifiedToken | Response>

/**
 * Returns a function that protects an API with the tokens of one issuer. It fetches nothing before the first request.
 *
 * @throws TypeError for options that cannot work
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 §4}
 */
export function protect(options: ProtectOptions): Guard {
  const { resourceMetadata, dpop: { required: isDpopRequired = false } = {} } = options
  const verify = verifierOf(options)
  const emit = quietly(options.onEvent)
  return async (request, demands = {}) => {
    const result = await verify(request, demands)
    if (!('reason' in result)) return result
    const { reason, token } = result
    const response = refuse({ ...result, scope: result.scope }, { resourceMetadata, isDpopRequired })
    const { clientId: client_id, id: jti } = token ?? {}
    emit({ event: 'request_refused', reason, status: response.status, client_id, jti })
    return response
  }
}

interface RefusedToken extends Refused {
  readonly token?: VerifiedToken
}

/** Returns the function that makes all checks. What may be used once is claimed last. */
function verifierOf(
  options: ProtectOptions,
): (request: GuardedRequest, demands: GuardDemands) => Promise<VerifiedToken | RefusedToken> {
  const settings = settingsOf(options)
  const { now, issuer, rules } = settings
  const checkRevocation: CheckRevocation | undefined = options.revocations?.(issuer)
  const checkBinding = bindings(settings.binding)
  return async (request, demands) => {
    const credentials = readCredentials(request)
    if (typeof credentials === 'string') return { reason: credentials }
    const { scheme, token: jws } = credentials
    const refused = (reason: GuardReason): RefusedToken => ({ reason, scheme })
    const claims = await verifySigned(
      jws,
      { types: TYPES, maxCharacters: MAX_JWT_CHARACTERS },
      issuer,
      demands.waitUntil,
    )
    if (typeof claims === 'string') return refused(claims)
    const token = readToken(claims, rules, now())
    if (typeof token === 'string') return refused(token)
    const bound = await checkBinding(request, credentials, token, demands.certificate)
    if ('reason' in bound) return { ...bound, scheme, token }
    const { nonce } = bound
    const revoked = await checkRevocation?.(token, jws, demands.waitUntil)
    if (revoked !== undefined) return { reason: revoked, scheme, token, nonce }
    const insufficient = checkDemands(token, demands)
    const scope = demands.scope ?? demands.anyScope
    if (insufficient !== undefined) return { reason: insufficient, scheme, token, nonce, scope }
    const used = await bound.claim()
    if (used !== undefined) return { reason: used, scheme, token, nonce }
    return nonce === undefined ? token : { ...token, responseHeaders: { 'DPoP-Nonce': nonce } }
  }
}

interface Settings {
  readonly issuer: ReturnType<typeof issuerOf>
  readonly rules: Parameters<typeof readToken>[1]
  readonly binding: BindingOptions
  readonly now: () => number
}

function settingsOf(options: ProtectOptions): Settings {
  const { issuer: name, clockSkewSeconds = DEFAULT_SKEW_SECONDS, actors, metadata, now = epochSeconds } = options
  const { algorithms = [...ASSERTION_ALGORITHMS.keys()], fetch = platformFetch, dpop = {} } = options
  const audiences = [options.audience].flat()
  if (audiences.length === 0 || audiences.includes('')) throw new TypeError('audience: must name the API')
  if (!algorithms.every((alg) => ASSERTION_ALGORITHMS.has(alg))) throw new TypeError('algorithms: must be asymmetric')
  if (!(clockSkewSeconds >= 0 && clockSkewSeconds <= MAX_SKEW_SECONDS))
    throw new TypeError(`clockSkewSeconds: must be from 0 to ${MAX_SKEW_SECONDS}`)
  if (dpop.origin !== undefined && !isOrigin(dpop.origin)) throw new TypeError('dpop.origin: must be an https origin')
  if (dpop.nonceSecret !== undefined && dpop.nonceSecret.length < MIN_SECRET_CHARACTERS)
    throw new TypeError(`dpop.nonceSecret: must have at least ${MIN_SECRET_CHARACTERS} characters`)
  const onEvent = quietly(options.onEvent)
  return {
    now,
    issuer: issuerOf({ issuer: name, metadata, algorithms, clockSkewSeconds, fetch, onEvent, now }),
    rules: { issuer: name, audiences, clockSkewSeconds, actors },
    binding: {
      isDpopRequired: dpop.required ?? false,
      origin: dpop.origin,
      nonceSecret: dpop.nonceSecret,
      claimProof: dpop.claim ?? replayMemory(now),
      findCertificate: options.certificate ?? (() => undefined),
      now,
    },
  }
}

function isOrigin(text: string): boolean {
  return isSafeUrl(text) && new URL(text).origin === text
}

/** A fault of what receives events must not decide about a request. */
function quietly(onEvent: OnEvent = () => undefined): OnEvent {
  return (event: GuardEvent) => {
    try {
      onEvent(event)
    } catch {}
  }
}
