/**
 * Everything that can be refused, on two levels: `code` goes on the wire and is coarse on purpose, `reason` goes into
 * the audit event and is exact.
 */

/** Registered error codes that this server answers with. */
export type ErrorCode =
  // RFC 6749 §5.2
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  // RFC 6749 §4.1.2.1
  | 'server_error'
  | 'temporarily_unavailable'
  // RFC 8707 §2
  | 'invalid_target'

export type RequestReason =
  | 'method_not_post'
  | 'content_type_not_form'
  | 'body_too_large'
  | 'body_malformed'
  | 'body_empty'
  | 'parameter_repeated'
  | 'grant_type_missing'
  | 'authorization_malformed'
  | 'client_id_mismatch'
  | 'credentials_several'
  | 'assertion_type_unknown'
  | 'assertion_missing'
  | 'client_cert_malformed'

export type ClientReason =
  | 'authorization_scheme_unknown'
  | 'credentials_missing'
  | 'client_id_malformed'
  | 'client_unknown'
  | 'client_disabled'
  | 'auth_method_mismatch'
  | 'secret_missing'
  | 'secret_mistyped'
  | 'secret_expired'
  | 'secret_hash_unknown'
  | 'secret_wrong'
  | 'keys_missing'
  | CertificateReason
  | AssertionReason

/** What can be wrong with the certificate that a client showed. */
export type CertificateReason =
  | 'certificate_missing'
  | 'certificate_not_verified'
  | 'certificate_not_current'
  | 'certificate_unexpected'
  | 'certificate_name_unregistered'

/** What can be wrong with a JWT that somebody else signed. */
export type AssertionReason =
  | 'assertion_malformed'
  | 'assertion_typ_wrong'
  | 'assertion_alg_not_allowed'
  | 'assertion_crit'
  | 'assertion_key_unknown'
  | 'assertion_signature_wrong'
  | 'assertion_iss_wrong'
  | 'assertion_sub_wrong'
  | 'assertion_aud_wrong'
  | 'assertion_exp_missing'
  | 'assertion_expired'
  | 'assertion_lives_too_long'
  | 'assertion_not_yet_valid'
  | 'assertion_jti_missing'
  | 'assertion_replayed'

export type GrantReason = 'client_public' | 'grant_type_not_allowed'
export type ScopeReason = 'scope_malformed' | 'scope_not_allowed'
export type TargetReason = 'resource_malformed' | 'resource_not_allowed'
export type UnavailableReason =
  | 'store_failed'
  | 'client_record_malformed'
  | 'comparisons_busy'
  | 'jwks_uri_failed'
  | 'not_configured'
  | 'host_not_loopback'

export type Reason =
  | RequestReason
  | ClientReason
  | GrantReason
  | ScopeReason
  | TargetReason
  | UnavailableReason
  | 'grant_type_unsupported'
  | 'internal'

interface Details {
  readonly status?: 400 | 401 | 413 | 500 | 503
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** A refusal: its wire form and, for the audit event, its reason and the client it is about. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: ErrorCode
  readonly reason: Reason
  readonly status: 400 | 401 | 413 | 500 | 503
  readonly headers: Readonly<Record<string, string>>
  /** For the audit event only; mostly set by {@link attribute}. */
  clientId: string | undefined

  constructor(
    code: ErrorCode,
    reason: Reason,
    description: string,
    { status = 400, headers = {}, cause }: Details = {},
  ) {
    super(wireText(description), { cause })
    this.code = code
    this.reason = reason
    this.status = status
    this.headers = headers
  }
}

/** Replaces what RFC 6749 §5.2 does not let stand in an `error_description`. */
function wireText(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

/** Runs `work` and names the client in the OAuthError that it may throw. */
export async function attribute<T>(clientId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof OAuthError) error.clientId = clientId
    throw error
  }
}

/** @see RFC 6749 §5.2 */
export function invalidRequest(reason: RequestReason, description: string, details?: Details): OAuthError {
  return new OAuthError('invalid_request', reason, description, details)
}

/**
 * One text for every way to fail, so that the answer does not tell which clients exist.
 *
 * @see RFC 6749 §5.2
 */
export function invalidClient(reason: ClientReason): OAuthError {
  return new OAuthError('invalid_client', reason, 'Client authentication failed.', { status: 401 })
}

/** @see RFC 6749 §5.2 */
export function unauthorizedClient(reason: GrantReason, description: string): OAuthError {
  return new OAuthError('unauthorized_client', reason, description)
}

/** @see RFC 6749 §5.2 */
export function unsupportedGrantType(description: string): OAuthError {
  return new OAuthError('unsupported_grant_type', 'grant_type_unsupported', description)
}

/** @see RFC 6749 §5.2 */
export function invalidScope(reason: ScopeReason, description: string): OAuthError {
  return new OAuthError('invalid_scope', reason, description)
}

/** @see RFC 8707 §2 */
export function invalidTarget(reason: TargetReason, description: string): OAuthError {
  return new OAuthError('invalid_target', reason, description)
}

/** The caller did nothing wrong and may try again after `retryAfter` seconds. */
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

/** A defect of this server: nothing of the cause reaches the wire. */
export function serverError(cause: unknown): OAuthError {
  return new OAuthError('server_error', 'internal', 'The server failed to answer this request.', { status: 500, cause })
}
