/**
 * The errors that refuse a request, on two levels: `code` goes on the wire and is coarse on purpose, `reason` goes into
 * the audit event and is exact.
 */

import type { ErrorCode } from './error_codes.ts'
import type { ForeignToken } from './features.ts'
import type {
  ClientReason,
  CustomReason,
  DpopReason,
  GrantReason,
  MetadataReason,
  Reason,
  RecordReason,
  RequestReason,
  ScopeReason,
  TargetReason,
  TokenReason,
  UnavailableReason,
} from './reasons.ts'

type Status = 400 | 401 | 404 | 405 | 409 | 412 | 413 | 415 | 429 | 500 | 503

interface Details {
  readonly status?: Status
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
  readonly clientId?: string | undefined
  readonly assertion?: ForeignToken | undefined
  readonly audience?: readonly string[] | undefined
}

/** A refused request: what the response says and, for the audit event, the exact reason and the client concerned. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: ErrorCode
  readonly reason: Reason | CustomReason
  readonly status: Status
  readonly headers: Readonly<Record<string, string>>
  /** For the audit event only. */
  readonly clientId: string | undefined
  /** For the audit event only; verified or not. */
  readonly assertion: ForeignToken | undefined
  /** For the audit event only; the resource servers that the request was found to be for. */
  readonly audience: readonly string[] | undefined

  constructor(
    code: ErrorCode,
    reason: Reason | CustomReason,
    description: string,
    { status = 400, headers = {}, cause, clientId, assertion, audience }: Details = {},
  ) {
    super(wireText(description), { cause })
    this.code = code
    this.reason = reason
    this.status = status
    this.headers = headers
    this.clientId = clientId
    this.assertion = assertion
    this.audience = audience
  }
}

/** Replaces the characters that RFC 6749 §5.2 does not allow in an `error_description`. */
function wireText(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2} */
export function invalidRequest(reason: RequestReason, description: string, details?: Details): OAuthError {
  return new OAuthError('invalid_request', reason, description, details)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 RFC 9110 §15.5.6} */
export function methodNotAllowed(allowed: readonly string[]): OAuthError {
  const Allow = allowed.join(', ')
  return invalidRequest('method_not_allowed', `This endpoint accepts ${Allow} only.`, {
    status: 405,
    headers: { Allow },
  })
}

/**
 * Has the same text for every failed authentication, so that the response does not reveal which clients exist.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}
 */
export function invalidClient(reason: ClientReason | CustomReason): OAuthError {
  return new OAuthError('invalid_client', reason, 'Client authentication failed.', { status: 401 })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2} */
export function unauthorizedClient(reason: GrantReason, description: string): OAuthError {
  return new OAuthError('unauthorized_client', reason, description)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2} */
export function unsupportedGrantType(description: string): OAuthError {
  return new OAuthError('unsupported_grant_type', 'grant_type_unsupported', description)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2} */
export function invalidScope(reason: ScopeReason, description: string): OAuthError {
  return new OAuthError('invalid_scope', reason, description)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2} */
export function invalidTarget(reason: TargetReason, description: string): OAuthError {
  return new OAuthError('invalid_target', reason, description)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2 RFC 7591 §3.2.2} */
export function invalidClientMetadata(reason: MetadataReason, description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', reason, description)
}

/**
 * Has the same text for every failure of a bearer token, so that the response does not reveal which clients exist.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7592#section-2 RFC 7592 §2}
 */
export function invalidToken(reason: TokenReason): OAuthError {
  const headers = { 'WWW-Authenticate': reason === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"' }
  const description = 'This request needs a bearer token that permits it.'
  return new OAuthError('invalid_token', reason, description, { status: 401, headers })
}

export function notFound(description: string): OAuthError {
  return new OAuthError('not_found', 'record_unknown', description, { status: 404 })
}

/** The record exceeds what a body can have, so that it could not be submitted again. */
export function recordTooLarge(): OAuthError {
  const description = 'The record is larger than 46 KiB.'
  return new OAuthError('invalid_request', 'record_too_large', description, { status: 413 })
}

/** By default, the caller should read the record again and retry. */
export function conflict(description: string, reason: RecordReason = 'record_contended'): OAuthError {
  return new OAuthError('conflict', reason, description, { status: 409 })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.13 RFC 9110 §15.5.13} */
export function preconditionFailed(): OAuthError {
  const description = 'The record does not match If-Match; read it again.'
  return new OAuthError('precondition_failed', 'record_changed', description, { status: 412 })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-5 RFC 9449 §5} */
export function invalidDpopProof(reason: DpopReason, description: string): OAuthError {
  return new OAuthError('invalid_dpop_proof', reason, description)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 RFC 9449 §8} */
export function useDpopNonce(nonce: string): OAuthError {
  const headers = { 'DPoP-Nonce': nonce }
  return new OAuthError('use_dpop_nonce', 'dpop_nonce_wrong', 'The DPoP proof must contain this nonce.', { headers })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1.1 RFC 6749 §3.1.1} */
export function unsupportedResponseType(): OAuthError {
  const description = 'This server issues tokens to clients only; it has no users who could authorize a request.'
  return new OAuthError('unsupported_response_type', 'response_type_unsupported', description)
}

/**
 * @param retryAfter seconds
 * @see {@link https://www.rfc-editor.org/rfc/rfc6585#section-4 RFC 6585 §4}
 */
export function tooManyRequests(retryAfter: number): OAuthError {
  const headers = { 'Retry-After': String(retryAfter) }
  const description = 'This caller sends requests too often.'
  return new OAuthError('temporarily_unavailable', 'rate_limited', description, { status: 429, headers })
}

/** Returns the error for a request that is valid but cannot be served now; the caller may retry after `retryAfter` seconds. */
export function temporarilyUnavailable(
  reason: UnavailableReason,
  description: string,
  cause?: unknown,
  retryAfter = 5,
): OAuthError {
  return new OAuthError('temporarily_unavailable', reason, description, {
    status: 503,
    headers: { 'Retry-After': String(retryAfter) },
    cause,
  })
}

/** Returns the error for a defect of this server. The response contains nothing of the cause. */
export function serverError(cause: unknown): OAuthError {
  return new OAuthError('server_error', 'internal', 'The server failed to answer this request.', { status: 500, cause })
}
