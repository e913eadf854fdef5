/** All that can happen, as one union. Audit lines are made from it. */

import type { ErrorCode, Reason } from '../reasons.ts'

export type Event =
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
    }
  | {
      readonly event: 'request_refused'
      readonly path: string
      readonly code: ErrorCode
      readonly reason: Reason
      /** As the request claimed it, proven or not. */
      readonly client_id?: string | undefined
      /** What failed below, for the operator; never set for what a client did wrong. */
      readonly cause?: string | undefined
    }
  | {
      /** The registry failed, and what was read from it before stood in. */
      readonly event: 'record_served_stale'
      /** In the registry. */
      readonly key: string
      readonly client_id?: undefined
      readonly age_seconds: number
      readonly cause: string
    }
  | {
      readonly event: 'client_changed'
      readonly change: 'created' | 'replaced' | 'deleted' | 'secret_added' | 'secret_revoked' | 'token_rotated'
      readonly client_id: string
      readonly by: 'operator' | 'client'
    }
  | { readonly event: 'token_revoked'; readonly client_id: string; readonly jti: string }
  | {
      /** Tokens issued at `before`, epoch seconds, or sooner are denied: those of a client, or all. */
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
      /** Somebody who is no trusted proxy sent a `Client-Cert` header; the request went on without it. */
      readonly event: 'client_cert_ignored'
      readonly path: string
      readonly peer?: string | undefined
      readonly client_id?: undefined
    }
  | {
      /** So many lines could not be written, because the log was not read. */
      readonly event: 'audit_lines_lost'
      readonly lines: number
      readonly client_id?: undefined
    }

/** Takes an event, at once and without throwing. */
export type Emit = (event: Event) => void
