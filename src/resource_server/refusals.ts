/** The reasons for which a request is refused, and what the response says of each. */

import type { DpopReason } from '../reasons.ts'

type Status = 400 | 401 | 403 | 503

/** The response to a refused request. */
export interface Refusal {
  readonly status: Status
  /** RFC 6750 §3.1 and RFC 9449 §7.1. Absent for a request without credentials, and when the guard cannot decide. */
  readonly error?: string
  readonly description?: string
}

const request = (description: string): Refusal => ({ status: 400, error: 'invalid_request', description })
const proof = (description: string): Refusal => ({ status: 401, error: 'invalid_dpop_proof', description })
const token = (description?: string): Refusal => ({
  status: 401,
  error: 'invalid_token',
  ...(description !== undefined && { description }),
})
const unavailable: Refusal = { status: 503 }
const insufficient: Refusal = { status: 403, error: 'insufficient_scope' }

/** Why a request was refused. */
export type GuardReason =
  | DpopReason
  | 'credentials_missing'
  | 'credentials_malformed'
  | 'credentials_in_query'
  | 'token_malformed'
  | 'token_typ_wrong'
  | 'token_crit'
  | 'token_alg_not_allowed'
  | 'token_key_unknown'
  | 'token_signature_wrong'
  | 'token_iss_wrong'
  | 'token_aud_wrong'
  | 'token_claim_wrong'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_actor_wrong'
  | 'token_revoked'
  | 'token_inactive'
  | 'binding_unknown'
  | 'binding_needs_dpop'
  | 'binding_missing'
  | 'binding_key_wrong'
  | 'certificate_missing'
  | 'certificate_wrong'
  | 'dpop_ath_wrong'
  | 'dpop_nonce_wrong'
  | 'scope_insufficient'
  | 'authorization_details_insufficient'
  | 'keys_unavailable'
  | 'revocations_unavailable'
  | 'introspection_unavailable'
  | 'replays_too_many'

/** By reason. A token that is not accepted is refused with one text, except where its holder must send it in another way. */
export const REFUSALS: Readonly<Record<GuardReason, Refusal>> = {
  credentials_missing: { status: 401 },
  credentials_malformed: request('The Authorization header must hold exactly one token.'),
  credentials_in_query: request('The token must be in the Authorization header.'),

  token_malformed: token(),
  token_typ_wrong: token(),
  token_crit: token(),
  token_alg_not_allowed: token(),
  token_key_unknown: token(),
  token_signature_wrong: token(),
  token_iss_wrong: token(),
  token_aud_wrong: token(),
  token_claim_wrong: token(),
  token_expired: token(),
  token_not_yet_valid: token(),
  token_actor_wrong: token(),
  token_revoked: token(),
  token_inactive: token(),

  binding_unknown: token('The token is bound to its holder in a way that this API cannot check.'),
  binding_needs_dpop: token('The token is bound to a key and must be sent with the scheme DPoP.'),
  binding_missing: token('The token is not bound to a key.'),
  binding_key_wrong: token('The token is bound to another key.'),
  certificate_missing: token('The token is bound to a certificate.'),
  certificate_wrong: token('The token is bound to another certificate.'),

  dpop_missing: proof('The request needs exactly one DPoP proof.'),
  dpop_malformed: proof('The DPoP header must be exactly one JWT.'),
  dpop_header_wrong: proof('The typ of a DPoP proof must be dpop+jwt, without crit.'),
  dpop_alg_not_allowed: proof('The alg of the DPoP proof is not supported.'),
  dpop_key_wrong: proof('The jwk of a DPoP proof must be a public key for its alg.'),
  dpop_signature_wrong: proof('The signature of the DPoP proof does not verify.'),
  dpop_htm_wrong: proof('The htm of the DPoP proof is not the method of the request.'),
  dpop_htu_wrong: proof('The htu of the DPoP proof is not the URL of the request.'),
  dpop_iat_wrong: proof('The iat of the DPoP proof is not within the last minute.'),
  dpop_jti_missing: proof('The DPoP proof has no jti.'),
  dpop_ath_wrong: proof('The ath of the DPoP proof is not the hash of the token.'),
  dpop_replayed: proof('The DPoP proof was used before.'),
  dpop_nonce_wrong: { status: 401, error: 'use_dpop_nonce', description: 'The DPoP proof must contain this nonce.' },

  scope_insufficient: insufficient,
  authorization_details_insufficient: insufficient,

  keys_unavailable: unavailable,
  revocations_unavailable: unavailable,
  introspection_unavailable: unavailable,
  replays_too_many: unavailable,
}
