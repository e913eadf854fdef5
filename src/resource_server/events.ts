/** What a guard reports to its owner. */

import type { GuardReason } from './refusals.ts'

/** What is wrong with a list of revocations that the guard does not use. */
export type ListProblem = 'malformed' | 'not_signed_by_issuer' | 'iss_wrong' | 'expired' | 'not_yet_valid' | 'older'

/** Something that a guard reports. No event holds a token or a proof. */
export type GuardEvent =
  | {
      readonly event: 'request_refused'
      readonly reason: GuardReason
      readonly status: number
      /** Of a token whose signature was verified. */
      readonly client_id?: string | undefined
      readonly jti?: string | undefined
    }
  /** A document of the issuer cannot be fetched, or is not what it should be. */
  | {
      readonly event: 'fetch_failed'
      readonly document: 'metadata' | 'keys' | 'revocations' | 'introspection'
      readonly cause: unknown
    }
  /** A list was fetched and is not used: the guard keeps the one that it has. */
  | { readonly event: 'list_ignored'; readonly problem: ListProblem }
  /** Requests are accepted without a current list, because `onStaleList` is `allow`. Reported for each of them. */
  | { readonly event: 'list_stale'; readonly ageSeconds: number | undefined }

/** Receives events. What it throws is ignored. */
export type OnEvent = (event: GuardEvent) => void
