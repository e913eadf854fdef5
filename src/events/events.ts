/** All events. The audit log has one line for each. */

import type { ErrorCode } from '../error_codes.ts'
import type { CustomReason, Reason } from '../reasons.ts'

/** The request in whose course an event happened. What the server does by itself, or for several requests at once, has neither. */
export interface OfRequest {
  /** As in the `X-Request-Id` of the response. */
  readonly request_id?: string | undefined
  /** The address of the caller, as the connection or a trusted proxy reports it. */
  readonly address?: string | undefined
}

/** One event. */
export type ServerEvent = Happening & OfRequest

type Happening =
  | {
      readonly event: 'token_issued'
      readonly client_id: string
      /** The subject of the token, where it is not the client. */
      readonly sub?: string
      readonly grant_type: string
      readonly scope: string
      readonly aud: readonly string[]
      readonly jti: string
      readonly exp: number
      /** The `sub` of the party that acts for the subject; in a token exchange, usually the client. */
      readonly actor?: string
      /** The issuer of the token that names the subject, if it is a trusted issuer. */
      readonly subject_iss?: string
      /** The `jti` of the subject token of an exchange, or of the assertion. */
      readonly subject_jti?: string
      readonly actor_jti?: string
      /** In an exchange `own_token`, or the resource server that the client is by its `token_exchange`; for an assertion, `jwt_bearer` or `id_jag`. */
      readonly allowed_by?: string
      /** Whether this token was signed for another request. */
      readonly reused?: boolean
      /** The federated credential that the client authenticated with, and the token of the trusted issuer. */
      readonly credential_id?: string
      readonly assertion_iss?: string
      readonly assertion_sub?: string
      readonly assertion_jti?: string
    }
  | {
      readonly event: 'request_refused'
      readonly path: string
      readonly code: ErrorCode
      readonly reason: Reason | CustomReason
      /** The resource servers that the token would have been for, once they are known. */
      readonly aud?: readonly string[]
      /** As claimed in the request, authenticated or not. */
      readonly client_id?: string | undefined
      /** The token of the trusted issuer, verified or not, once a rule of the client has matched it. */
      readonly assertion_iss?: string
      readonly assertion_sub?: string
      readonly assertion_jti?: string
      /** The underlying failure, for the operator. Never set for an error of the client. */
      readonly cause?: string | undefined
    }
  | {
      /** The registry failed, and a cached record was used instead. */
      readonly event: 'record_served_stale'
      /** Key in the registry. */
      readonly key: string
      readonly client_id?: undefined
      readonly age_seconds: number
      readonly cause: string
    }
  | {
      readonly event: 'client_changed'
      readonly change:
        | 'created'
        | 'replaced'
        | 'deleted'
        | 'secret_added'
        | 'secret_revoked'
        | 'credential_added'
        | 'credential_removed'
        | 'token_rotated'
      readonly client_id: string
      readonly by: 'operator' | 'client'
    }
  | { readonly event: 'token_revoked'; readonly client_id: string; readonly jti: string }
  | {
      /** Tokens issued at or before `before`, epoch seconds, are denied: those of one client, or all. */
      readonly event: 'tokens_cut'
      readonly before: number
      readonly client_id?: string | undefined
    }
  | {
      readonly event: 'resource_changed'
      readonly change: 'created' | 'replaced' | 'deleted'
      readonly resource: string
      readonly client_id?: undefined
    }
  | {
      readonly event: 'issuer_changed'
      readonly change: 'created' | 'replaced' | 'deleted'
      readonly issuer: string
      readonly client_id?: undefined
    }
  | {
      /** A stored signing key: `announced` when it was made, `advanced` when it signs earlier than announced. */
      readonly event: 'key_changed'
      readonly change: 'announced' | 'advanced' | 'revoked' | 'removed'
      readonly kid: string
      readonly alg: string
      /** Epoch seconds. */
      readonly signs_from: number
      readonly client_id?: undefined
    }
  | {
      /** Stored keys were encrypted again, under the key-encryption key `kek`. */
      readonly event: 'keys_rewrapped'
      readonly kek: string
      readonly count: number
      readonly client_id?: undefined
    }
  | {
      /** A stored key cannot be decrypted: the key-encryption key `kek` is missing or another one, or the record was changed. Reported at each reading. */
      readonly event: 'key_undecryptable'
      readonly kid: string
      readonly kek: string
      readonly client_id?: undefined
    }
  | {
      /** The newest key of an algorithm has signed for longer than a period. Reported at most hourly. */
      readonly event: 'key_rotation_overdue'
      readonly alg: string
      readonly client_id?: undefined
    }
  | {
      /** A rotation that was due could not be made; it is tried again. */
      readonly event: 'key_rotation_failed'
      readonly cause: string
      readonly client_id?: undefined
    }
  | {
      /** A peer that is not a trusted proxy sent a `Client-Cert` header. The header was ignored. */
      readonly event: 'client_cert_ignored'
      readonly path: string
      readonly peer?: string | undefined
      readonly client_id?: undefined
    }
  | {
      /** Audit lines were dropped because the log was not read. */
      readonly event: 'audit_lines_lost'
      readonly lines: number
      readonly client_id?: undefined
    }

/** Handles an event. Must return at once and must not throw. */
export type Emit = (event: ServerEvent) => void
