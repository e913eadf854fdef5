/** The schema of a client's record. */

import * as v from 'valibot'
import { JwkSet } from '../assertions/jwk_set.ts'
import type { Client } from '../types.ts'

const Seconds: v.GenericSchema<number> = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A client_id: 1 to 256 visible ASCII characters and blanks, RFC 6749 appendix A.1 with a bound of ours. */
export const ClientId: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,256}$/))

/** Each may cost a comparison on every request. */
const MAX_SECRETS = 10

/** A client as stored. */
export const ClientRecord: v.GenericSchema<unknown, Client> = v.object({
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
  token_endpoint_auth_method: v.optional(v.string()),
  token_endpoint_auth_signing_alg: v.optional(v.string()),
  jwks: v.optional(JwkSet),
  jwks_uri: v.optional(v.string()),
  grant_types: v.optional(v.array(v.string())),
  scope: v.optional(v.string()),
  default_scope: v.optional(v.string()),
  resources: v.optional(v.array(v.string())),
  access_token_lifetime: v.optional(v.pipe(Seconds, v.minValue(1))),
  tls_client_auth_subject_dn: v.optional(v.string()),
  tls_client_auth_san_dns: v.optional(v.string()),
  tls_client_auth_san_uri: v.optional(v.string()),
  tls_client_auth_san_ip: v.optional(v.string()),
  tls_client_auth_san_email: v.optional(v.string()),
  claims: v.optional(v.record(v.string(), v.unknown())),
  dpop_bound_access_tokens: v.optional(v.boolean()),
  tls_client_certificate_bound_access_tokens: v.optional(v.boolean()),
  disabled: v.optional(v.boolean()),
})
