/** The names of what can be refused, on two levels: the code of the wire, and the exact reason that only the audit event tells. */

/** Registered error codes that this server answers with. */
export type ErrorCode =
  // RFC 6749 §5.2
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  // RFC 6749 §4.1.2.1
  | 'unsupported_response_type'
  | 'server_error'
  | 'temporarily_unavailable'
  // RFC 7591 §3.2.2
  | 'invalid_client_metadata'
  // RFC 6750 §3.1
  | 'invalid_token'
  // RFC 8707 §2
  | 'invalid_target'
  // RFC 9449 §12.2
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  // Ours, where no RFC has a word for it
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'

export type RequestReason =
  | 'method_not_allowed'
  | 'content_type_not_form'
  | 'content_type_not_json'
  | 'content_encoding_unsupported'
  | 'charset_unsupported'
  | 'query_malformed'
  | 'token_parameter_missing'
  | 'cut_malformed'
  | 'resource_record_malformed'
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
  | 'certificate_required'

export type ClientReason =
  | 'authorization_scheme_unknown'
  | 'credentials_missing'
  | 'client_id_malformed'
  | 'client_unknown'
  | 'client_disabled'
  | 'client_public'
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
export type ScopeReason =
  | 'scope_malformed'
  | 'scope_not_allowed'
  | 'scope_not_served'
  | 'scopes_too_many'
  | 'token_too_large'
/** What can be wrong with what somebody registers. */
export type MetadataReason = 'metadata_malformed' | 'metadata_inconsistent' | 'metadata_not_yours'

/** What can be wrong with a bearer token of ours that a caller shows. */
export type TokenReason = 'token_missing' | 'token_wrong'

/** What can be wrong with a change of a record. */
export type RecordReason = 'record_too_large' | 'record_unknown' | 'record_contended' | 'record_changed'

/** What can be wrong with a DPoP proof. */
export type DpopReason =
  | 'dpop_missing'
  | 'dpop_malformed'
  | 'dpop_header_wrong'
  | 'dpop_alg_not_allowed'
  | 'dpop_key_wrong'
  | 'dpop_signature_wrong'
  | 'dpop_htm_wrong'
  | 'dpop_htu_wrong'
  | 'dpop_iat_wrong'
  | 'dpop_jti_missing'
  | 'dpop_replayed'

export type TargetReason =
  | 'resource_malformed'
  | 'resource_unknown'
  | 'resource_not_allowed'
  | 'resources_incompatible'
  | 'token_too_large'
export type UnavailableReason =
  | 'store_failed'
  | 'record_malformed'
  | 'comparisons_busy'
  | 'jwks_uri_failed'
  | 'signing_alg_missing'
  | 'signing_key_missing'
  | 'revocations_too_many'
  | 'rate_limited'
  | 'not_configured'
  | 'host_not_loopback'

export type Reason =
  | RequestReason
  | ClientReason
  | GrantReason
  | ScopeReason
  | TargetReason
  | DpopReason
  | MetadataReason
  | TokenReason
  | RecordReason
  | 'dpop_nonce_wrong'
  | 'response_type_unsupported'
  | UnavailableReason
  | 'grant_type_unsupported'
  | 'internal'
