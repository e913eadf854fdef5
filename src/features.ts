/** What a feature implements: a method of client authentication, a grant, a confirmation. Each is a plain object. */

import type { ClientReason } from './reasons.ts'
import type { Client, Context, FormRequest } from './types.ts'

/** Credentials found in a request and not yet verified. */
export interface Presented {
  /** Empty when the request leaves it out. */
  readonly client_id: string
  /** Returns undefined when the client proved who it is, or else why not. Rejects only when that could not be found out. */
  verify(client: Client, context: Context): Promise<ClientReason | undefined>
}

/** Where in a request a method of client authentication finds its credentials. */
export type CredentialKind = 'header' | 'secret' | 'assertion' | 'connection'

/**
 * One `token_endpoint_auth_method`.
 *
 * A request presents credentials of one kind: the `Authorization` header, a `client_secret`, or a `client_assertion`. What the
 * connection carries counts only where the request itself presents nothing. Several methods may read the same kind; then the
 * method that the client is registered for decides. `read` looks at the request only, so that a request which cannot be right costs
 * no look-up; `verify` is called once for a client that exists, is enabled and is registered for the method, and once more if
 * its record has changed meanwhile. What can be used once is used up last in `verify`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 RFC 6749 §2.3}
 *
 * @example
 * ```ts
 * const shibboleth: ClientAuth = {
 *   method: 'shibboleth',
 *   reads: 'secret',
 *   read: ({ form }) => ({
 *     client_id: form.get('client_id') ?? '',
 *     verify: async () => (form.get('client_secret') === 'shibboleth' ? undefined : 'secret_wrong'),
 *   }),
 * }
 * ```
 */
export interface ClientAuth {
  /** As registered in the IANA registry that RFC 7591 §4.2 set up. */
  readonly method: string
  readonly reads: CredentialKind
  /** Members of the metadata document besides the method's name, RFC 8414 §2. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * Returns undefined when the request does not present this method.
   *
   * @throws OAuthError when it presents the method in a malformed way
   */
  read(request: FormRequest): Presented | undefined
}

/** What a grant allows at most; policy decides what of it the token gets. */
export interface Permit {
  /** The `sub` of the token. */
  readonly subject: string
  /** Who acts for the subject: the `act` of the token, RFC 8693 §4.1. */
  readonly actor?: Readonly<Record<string, unknown>>
  /** Patterns of the scopes that may be granted. */
  readonly scope: readonly string[]
  /** Scopes granted when the request names none. */
  readonly defaultScope: readonly string[]
  /** Identifiers of resource servers that may be granted. */
  readonly resources: readonly string[]
  /** Epoch seconds; the token ends no later, whatever the settings allow. */
  readonly expiresAt?: number
  /** Members of the response besides those of RFC 6749 §5.1. */
  readonly response?: Readonly<Record<string, unknown>>
}

/** What binds a token to its holder. */
export interface Confirmed {
  /** Members of `cnf`, RFC 7800 §3.1. */
  readonly cnf: Readonly<Record<string, string>>
  /** Where it is not `bearer`. */
  readonly tokenType?: 'DPoP'
  /** For the response. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Uses up what may be used once, such as the `jti` of a proof. The endpoint calls it once, after everything else that can
   * refuse the request. Throws OAuthError when it was used before.
   */
  readonly claim?: () => Promise<void>
}

/**
 * One way to bind a token to its holder.
 *
 * The endpoint asks every confirmation of its list, after the grant has permitted the request; their members of `cnf` are put together.
 * `confirm` returns undefined where neither the request nor the client's record ask for this binding. It writes nothing: what can
 * be used once, such as the `jti` of a proof, is used up by `claim`, which the endpoint calls last, when nothing else can refuse
 * the request.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7800#section-3.1 RFC 7800 §3.1}
 *
 * @example
 * ```ts
 * const byHeader: Confirmation = {
 *   method: 'x-key',
 *   metadata: {},
 *   confirm: async ({ headers }) => ({ cnf: { 'x-key': headers.get('X-Key') ?? '' } }),
 * }
 * ```
 */
export interface Confirmation {
  /** Its member of `cnf`. */
  readonly method: string
  /** Members of the metadata document, RFC 8414 §2. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** @throws OAuthError when the binding is asked for and cannot be made */
  confirm(request: FormRequest, client: Client, context: Context): Promise<Confirmed | undefined>
}

/** A parameter of a form, as the OpenAPI document describes it. */
export interface Parameter {
  readonly required?: true
  /** Whether it may be given more than once. */
  readonly repeats?: true
  readonly description?: string
}

/**
 * One `grant_type`.
 *
 * The endpoint calls `permit` once per request, after it has authenticated the client and checked that the client may use the
 * grant. The permit says for whom the token speaks and what it may hold at most; scopes, resource servers, lifetime, binding and
 * the signature are the same for all grants and are not decided here. A grant writes nothing that a later refusal would have to
 * undo. A request that is refused throws an `OAuthError`; anything else that is thrown is answered with `server_error`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}
 *
 * @example
 * ```ts
 * const fixed: Grant = {
 *   grantType: 'urn:example:fixed',
 *   permit: async () => ({ subject: 'robot', scope: ['read'], defaultScope: ['read'], resources: [] }),
 * }
 * ```
 */
export interface Grant {
  /** As registered in the IANA registry of RFC 7591 §4.1. */
  readonly grantType: string
  /** The parameters that only this grant reads, for the OpenAPI document. */
  readonly parameters?: Readonly<Record<string, Parameter>>
  /** @throws OAuthError when the request is refused */
  permit(request: FormRequest, client: Client, context: Context): Promise<Permit>
}
