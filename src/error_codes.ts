/** The error codes of the wire. */

/** Registered error codes that this server answers with. */
export const ERROR_CODES = [
  // RFC 6749 §5.2
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_grant',
  'invalid_scope',
  // RFC 6749 §4.1.2.1
  'unsupported_response_type',
  'server_error',
  'temporarily_unavailable',
  // RFC 7591 §3.2.2
  'invalid_client_metadata',
  // RFC 6750 §3.1
  'invalid_token',
  // RFC 8707 §2
  'invalid_target',
  // RFC 9449 §12.2
  'invalid_dpop_proof',
  'use_dpop_nonce',
  // Ours, where no RFC has a word for it
  'not_found',
  'conflict',
  'precondition_failed',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]
