/** The exact reasons of what can be refused, which only the audit event holds. */

/** Every exact reason, grouped by what is refused. A reason can be in two groups. */
export const REASONS = {
  request: [
    'method_not_allowed',
    'content_type_not_form',
    'content_type_not_json',
    'content_encoding_unsupported',
    'charset_unsupported',
    'query_malformed',
    'token_parameter_missing',
    'cut_malformed',
    'resource_record_malformed',
    'issuer_record_malformed',
    'key_rotation_malformed',
    'body_too_large',
    'body_malformed',
    'body_empty',
    'parameter_repeated',
    'grant_type_missing',
    'authorization_malformed',
    'client_id_mismatch',
    'credentials_several',
    'assertion_type_unknown',
    'assertion_missing',
    'subject_token_missing',
    'subject_token_type_unsupported',
    'subject_token_not_alone',
    'actor_token_unsupported',
    'requested_token_type_unsupported',
    'subject_token_wrong',
    'exchange_not_audience',
    'exchange_not_bound',
    'may_act_other',
    'actor_token_wrong',
    'actors_too_many',
    'grant_assertion_missing',
    'client_cert_malformed',
    'certificate_required',
  ],
  client: [
    'authorization_scheme_unknown',
    'credentials_missing',
    'client_id_malformed',
    'client_unknown',
    'client_disabled',
    'client_public',
    'auth_method_mismatch',
    'secret_missing',
    'secret_mistyped',
    'secret_expired',
    'secret_hash_unknown',
    'secret_wrong',
    'keys_missing',
  ],
  /** The certificate that a client presented. */
  certificate: [
    'certificate_missing',
    'certificate_not_verified',
    'certificate_not_current',
    'certificate_unexpected',
    'certificate_name_unregistered',
  ],
  /** A JWT that another party signed. */
  assertion: [
    'assertion_malformed',
    'assertion_typ_wrong',
    'assertion_alg_not_allowed',
    'assertion_crit',
    'assertion_key_unknown',
    'assertion_signature_wrong',
    'assertion_iss_wrong',
    'assertion_sub_wrong',
    'assertion_aud_wrong',
    'assertion_exp_missing',
    'assertion_expired',
    'assertion_lives_too_long',
    'assertion_too_old',
    'assertion_not_yet_valid',
    'assertion_jti_missing',
    'assertion_replayed',
    'federation_issuer_unknown',
    'federation_no_rule',
  ],
  /** What else can be wrong with one that is an authorization grant. */
  authorization: ['assertion_client_wrong', 'assertion_iat_missing', 'assertion_not_bound', 'assertion_act_wrong'],
  grant: ['client_public', 'grant_type_not_allowed'],
  scope: [
    'scope_malformed',
    'scope_not_allowed',
    'scope_not_held',
    'scope_not_served',
    'scopes_too_many',
    'token_too_large',
  ],
  target: [
    'resource_malformed',
    'resource_missing',
    'resource_unknown',
    'resource_not_allowed',
    'resources_incompatible',
    'token_too_large',
  ],
  /** The metadata that is handed in for a client. */
  metadata: ['metadata_malformed', 'metadata_inconsistent', 'metadata_not_yours'],
  /** A bearer token of the operator, of a client for its own record, or of this server. */
  token: ['token_missing', 'token_wrong'],
  /** A change of a record. */
  record: [
    'record_too_large',
    'record_unknown',
    'record_contended',
    'record_changed',
    'key_static',
    'key_recent',
    'key_not_announced',
    'key_undecryptable',
  ],
  /** A DPoP proof. */
  dpop: [
    'dpop_missing',
    'dpop_malformed',
    'dpop_header_wrong',
    'dpop_alg_not_allowed',
    'dpop_key_wrong',
    'dpop_signature_wrong',
    'dpop_htm_wrong',
    'dpop_htu_wrong',
    'dpop_iat_wrong',
    'dpop_jti_missing',
    'dpop_replayed',
  ],
  unavailable: [
    'store_failed',
    'record_malformed',
    'comparisons_busy',
    'jwks_uri_failed',
    'issuer_keys_failed',
    'signing_alg_missing',
    'signing_key_missing',
    'key_service_failed',
    'key_service_busy',
    'signing_key_undecryptable',
    'revocations_too_many',
    'rate_limited',
    'not_configured',
    'host_not_loopback',
  ],
  /** Reasons that stand alone for their error code. */
  other: ['dpop_nonce_wrong', 'response_type_unsupported', 'grant_type_unsupported', 'internal'],
} as const

/** The reason of a feature that is not part of this package. The prefix keeps it apart from every reason of this server. */
export type CustomReason = `x_${string}`

type In<Group extends keyof typeof REASONS> = (typeof REASONS)[Group][number]

export type Reason = In<keyof typeof REASONS>
export type RequestReason = In<'request'>
export type ClientReason = In<'client' | 'certificate' | 'assertion'>
export type CertificateReason = In<'certificate'>
export type AssertionReason = In<'assertion'>
export type AuthorizationReason = In<'assertion' | 'authorization'>
export type GrantReason = In<'grant'>
export type ScopeReason = In<'scope'>
export type TargetReason = In<'target'>
export type MetadataReason = In<'metadata'>
export type TokenReason = In<'token'>
export type RecordReason = In<'record'>
export type DpopReason = In<'dpop'>
export type UnavailableReason = In<'unavailable'>
