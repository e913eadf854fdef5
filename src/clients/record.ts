/** The schema of a client's record. */

import * as v from 'valibot'
import { JwkSet } from '../assertions/jwk_set.ts'
import type { Client } from '../types.ts'

/** A client with what only people and the registration endpoint look at, RFC 7591 §2 and §3.2.1. */
export interface RegisteredClient extends Client {
  readonly client_name?: string | undefined
  readonly client_uri?: string | undefined
  readonly logo_uri?: string | undefined
  readonly tos_uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly contacts?: readonly string[] | undefined
  readonly software_id?: string | undefined
  readonly software_version?: string | undefined
  /** Epoch seconds. */
  readonly client_id_issued_at?: number | undefined
  /** Of its `registration_access_token`. */
  readonly registration_access_token_hash?: string | undefined
  /** Latest end of the secrets that the client makes for itself, epoch seconds, 0 for none; see `secretLimitOf`. */
  readonly secret_limit_at?: number | undefined
}

const Seconds: v.GenericSchema<number> = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A client_id: 1 to 256 visible ASCII characters and blanks, RFC 6749 appendix A.1 with a bound of ours. */
export const ClientId: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,256}$/))

/** Each may cost a comparison on every request. */
export const MAX_SECRETS = 10

const TEXTS = [
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks_uri',
  'scope',
  'default_scope',
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
  'client_name',
  'client_uri',
  'logo_uri',
  'tos_uri',
  'policy_uri',
  'software_id',
  'software_version',
  'registration_access_token_hash',
] as const

/** A client as stored. */
export const ClientRecord: v.GenericSchema<unknown, RegisteredClient> = v.object({
  client_id: ClientId,
  client_secrets: v.optional(
    v.pipe(
      v.array(
        v.object({
          id: v.string(),
          hash: v.string(),
          label: v.optional(v.string()),
          created_at: v.optional(Seconds),
          expires_at: v.optional(Seconds),
        }),
      ),
      v.maxLength(MAX_SECRETS),
    ),
  ),
  jwks: v.optional(JwkSet),
  ...v.entriesFromList(TEXTS, v.optional(v.string())),
  ...v.entriesFromList(['grant_types', 'resources', 'contacts'], v.optional(v.array(v.string()))),
  ...v.entriesFromList(
    ['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens', 'introspection', 'disabled'],
    v.optional(v.boolean()),
  ),
  access_token_lifetime: v.optional(v.pipe(Seconds, v.minValue(1))),
  client_id_issued_at: v.optional(Seconds),
  secret_limit_at: v.optional(Seconds),
  claims: v.optional(v.record(v.string(), v.unknown())),
})
