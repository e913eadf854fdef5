/** Tokens that are bound to their holder: by DPoP, RFC 9449, or by a client certificate, RFC 8705. */

import { type ProofKeys, verifyDpopProof } from '../assertions/dpop_proof.ts'
import { type Nonces, nonces } from '../assertions/nonce.ts'
import { OAuthError } from '../errors.ts'
import { deriveHmacKey } from '../keys/derived_key.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { digestOf } from '../lib/digest.ts'
import { lru } from '../lib/lru.ts'
import type { Credentials, GuardedRequest } from './credentials.ts'
import { type GuardReason, REFUSALS } from './refusals.ts'
import type { ClaimProof } from './replays.ts'
import type { VerifiedToken } from './token.ts'

/** A client certificate: its DER, or its thumbprint as in `x5t#S256`. Its owner has proved to the TLS server that it is theirs. */
export type ClientCertificate = Uint8Array<ArrayBuffer> | string

/** Returns the client certificate of the connection of a request. */
export type FindClientCertificate = (
  request: GuardedRequest,
) => ClientCertificate | undefined | Promise<ClientCertificate | undefined>

export interface BindingOptions {
  readonly isDpopRequired: boolean
  /** The origin that clients know, if it is not that of the URL of a request. */
  readonly origin?: string | undefined
  /** Nonces are derived from it. All processes of the API share it. */
  readonly nonceSecret?: string | undefined
  readonly claimProof: ClaimProof
  readonly findCertificate: FindClientCertificate
  /** Returns epoch seconds. */
  now(): number
}

/** A token whose holder has shown to be the one it is bound to. */
export interface Bound {
  /** The nonce that clients should use next. */
  readonly nonce?: string | undefined
  /** Marks the proof as used. Returns why that is refused. Called when all else is in order. */
  claim(): Promise<GuardReason | undefined>
}

/** Why a token is refused. */
export interface Unbound {
  readonly reason: GuardReason
  readonly nonce?: string | undefined
}

/** Keys of clients that are kept. */
const MAX_PROOF_KEYS = 1000

const NOTHING_TO_CLAIM: Bound = { claim: async () => undefined }

/** Returns a function that checks the holder of a token. */
export function bindings(
  options: BindingOptions,
): (
  request: GuardedRequest,
  credentials: Credentials,
  token: VerifiedToken,
  certificate?: ClientCertificate,
) => Promise<Bound | Unbound> {
  let derived: Promise<Nonces> | undefined
  const { nonceSecret } = options
  const keys: ProofKeys = lru(MAX_PROOF_KEYS)
  const findNonces = async (): Promise<Nonces | undefined> => {
    if (nonceSecret === undefined) return undefined
    derived ??= deriveHmacKey(nonceSecret, 'dpop nonces of an api').then(nonces)
    return derived
  }
  return async (request, credentials, { claims }, certificate) => {
    const { cnf } = claims
    if (cnf === undefined && credentials.scheme === 'Bearer' && !options.isDpopRequired) return NOTHING_TO_CLAIM
    const bound = readConfirmation(cnf)
    if (bound === undefined) return { reason: 'binding_unknown' }
    const reason = await checkCertificate(bound.x5t, async () => certificate ?? options.findCertificate(request))
    if (reason !== undefined) return { reason }
    if (credentials.scheme === 'Bearer' && bound.jkt !== undefined) return { reason: 'binding_needs_dpop' }
    if (bound.jkt === undefined)
      return credentials.scheme === 'DPoP' || options.isDpopRequired ? { reason: 'binding_missing' } : NOTHING_TO_CLAIM
    return checkProof(request, credentials.token, bound.jkt, { ...options, keys, nonces: await findNonces() })
  }
}

/** Returns what a token is bound to; undefined for a method that is not known, or none where there is a `cnf`, RFC 7800 §3.1. */
function readConfirmation(cnf: unknown): { readonly jkt?: string; readonly x5t?: string } | undefined {
  if (cnf === undefined) return {}
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).length === 0) return undefined
  const { jkt, 'x5t#S256': x5t, ...others } = cnf as Readonly<Record<string, unknown>>
  if (Object.keys(others).length > 0) return undefined
  if (!(jkt === undefined || typeof jkt === 'string') || !(x5t === undefined || typeof x5t === 'string'))
    return undefined
  return { ...(jkt !== undefined && { jkt }), ...(x5t !== undefined && { x5t }) }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3 RFC 8705 §3} */
async function checkCertificate(
  x5t: string | undefined,
  findCertificate: () => Promise<ClientCertificate | undefined>,
): Promise<GuardReason | undefined> {
  if (x5t === undefined) return undefined
  const certificate = await findCertificate()
  if (certificate === undefined) return 'certificate_missing'
  const thumbprint = typeof certificate === 'string' ? certificate : await thumbprintOf(certificate)
  return thumbprint === x5t ? undefined : 'certificate_wrong'
}

async function thumbprintOf(der: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', der)))
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7} */
async function checkProof(
  request: GuardedRequest,
  token: string,
  jkt: string,
  options: BindingOptions & { readonly keys: ProofKeys; readonly nonces: Nonces | undefined },
): Promise<Bound | Unbound> {
  const now = options.now()
  const jws = request.headers.get('DPoP')
  const nonce = await options.nonces?.current(now)
  if (jws === null) return { reason: 'dpop_missing', nonce }
  const { method } = request
  const proven = { method, url: urlOf(request, options), now }
  const proof = await verifyDpopProof(jws, proven, options.keys).catch(reasonOf)
  if (typeof proof === 'string') return { reason: proof, nonce }
  if (proof.claims['ath'] !== (await digestOf(token))) return { reason: 'dpop_ath_wrong', nonce }
  if (proof.jkt !== jkt) return { reason: 'binding_key_wrong', nonce }
  const isGood = (await options.nonces?.isGood(proof.claims['nonce'], now)) ?? true
  if (!isGood) return { reason: 'dpop_nonce_wrong', nonce }
  return {
    nonce,
    async claim() {
      const claimed = await options.claimProof(proof.identity, proof.expiresAt, proof.jkt)
      if (claimed === 'first') return undefined
      return claimed === 'full' ? 'replays_too_many' : 'dpop_replayed'
    },
  }
}

/** A URL can be none where the Host header or the target, such as `*`, is not that of a URL. No proof is for it. */
function urlOf({ url }: GuardedRequest, { origin }: BindingOptions): string {
  return origin === undefined || !URL.canParse(url) ? url : origin + new URL(url).pathname
}

function reasonOf(error: unknown): GuardReason {
  if (error instanceof OAuthError && error.reason in REFUSALS) return error.reason as GuardReason
  throw error
}
