/** What a grant allows: the value between the grants, which decide about a request, and the policy, which chooses within it. */

/** The tokens that a permit rests on, for the audit event. */
export interface Basis {
  /** The issuer of the token that names the subject, if it is another one. */
  readonly subject_iss?: string
  readonly subject_jti?: string
  readonly actor_jti?: string
  /** What in the records of the server allows it. */
  readonly allowed_by: string
}

/** The most that a grant allows. Policy decides which part of it the token receives. */
export interface Permit {
  /** The `sub` of the token. */
  readonly subject: string
  /** The party that acts for the subject: the `act` claim of the token, RFC 8693 §4.1. */
  readonly actor?: Readonly<Record<string, unknown>> | undefined
  /** The only party that may act for the subject: the `may_act` claim of the token, RFC 8693 §4.4. */
  readonly mayAct?: Readonly<Record<string, unknown>> | undefined
  /** Patterns of the scopes that may be granted. */
  readonly scope: readonly string[]
  /** More patterns. A scope must match one of these, too. */
  readonly scopeLimit?: readonly string[]
  /** Scopes granted when the request names none. */
  readonly defaultScope: readonly string[]
  /** Identifiers of the resource servers that may be granted. */
  readonly resources: readonly string[]
  /** Those that are granted when the request names none, instead of the default one. They have to be in `resources`, too. */
  readonly defaultResources?: readonly string[]
  /** Epoch seconds. The token expires no later, whatever the settings allow. */
  readonly expiresAt?: number
  /** Static claims of the token, instead of those of the client. */
  readonly claims?: Readonly<Record<string, unknown>>
  /**
   * Refuses a request that does not prove what a token it presents is bound to.
   *
   * @param cnf what the token will be bound to, RFC 7800 §3.1
   */
  readonly requireBinding?: (cnf: Readonly<Record<string, string>>) => void
  /**
   * Uses up what may be used once. Called once, after everything else that can refuse the request. Rejects with OAuthError when it was
   * used before.
   */
  readonly claim?: () => Promise<void>
  /** For the audit event. */
  readonly basis?: Basis
  /** Members of the response besides those of RFC 6749 §5.1. */
  readonly response?: Readonly<Record<string, unknown>>
}
