/** What a grant allows: the value between the grants, which decide about a request, and the policy, which chooses within it. */

/** The most that a grant allows. Policy decides which part of it the token receives. */
export interface Permit {
  /** The `sub` of the token. */
  readonly subject: string
  /** The party that acts for the subject: the `act` claim of the token, RFC 8693 §4.1. */
  readonly actor?: Readonly<Record<string, unknown>>
  /** Patterns of the scopes that may be granted. */
  readonly scope: readonly string[]
  /** Scopes granted when the request names none. */
  readonly defaultScope: readonly string[]
  /** Identifiers of the resource servers that may be granted. */
  readonly resources: readonly string[]
  /** Epoch seconds. The token expires no later, whatever the settings allow. */
  readonly expiresAt?: number
  /** Members of the response besides those of RFC 6749 §5.1. */
  readonly response?: Readonly<Record<string, unknown>>
}
