/** The contracts of features: methods of client authentication, grants, confirmations. Each feature is a plain object. */

import type { Permit } from './permit.ts'
import type { ClientReason, CustomReason } from './reasons.ts'
import type { Client, Context, FederatedCredential, FormRequest } from './types.ts'

/** The token of a trusted issuer that a request presents. */
export interface ForeignToken {
  readonly issuer: string
  readonly subject?: string | undefined
  readonly id?: string | undefined
}

/** The foreign token that proved the identity of a client. Its claims are verified. */
export interface Proof {
  /** The entry of the client's record that the token matches. It can limit the lifetime of access tokens. */
  readonly credential: FederatedCredential
  /** Identifier of the trusted issuer. */
  readonly issuer: string
  readonly subject: string
  /** The `jti`, if the token has one. */
  readonly id?: string | undefined
  /**
   * Uses up a token that may be used once. Called once, after everything else that can refuse the request. Rejects with OAuthError
   * when the token was used before.
   */
  readonly claim?: (() => Promise<void>) | undefined
}

/** Credentials that were found in a request and are not yet verified. */
export interface Presented {
  /** Empty when the request does not name a client. */
  readonly client_id: string
  /** Whether they hold nothing but the name of the client, such as `Basic` with an empty secret. */
  readonly isNameOnly?: true
  /**
   * Returns undefined when the credentials are those of the client, or a proof when a foreign token says so. Otherwise returns the
   * reason for the refusal, which only the audit event holds: one of this server or, with the prefix `x_`, one of your own. Rejects
   * only when the verification could not be completed, or when no newer record of the client could change the refusal.
   */
  verify(client: Client, context: Context): Promise<ClientReason | CustomReason | Proof | undefined>
}

/** The place in a request where a method of client authentication finds its credentials. */
export type CredentialKind = 'header' | 'secret' | 'assertion' | 'connection' | 'subject_token'

/**
 * One `token_endpoint_auth_method`.
 *
 * A request presents credentials of one kind: the `Authorization` header, a `client_secret`, or a `client_assertion`. Credentials
 * of the connection count only when the request itself presents none, and so does the `subject_token` of a token exchange, which
 * is one only where a grant says so. If several methods read the same kind, the method that the
 * client is registered for decides. `read` inspects only the request, so that a malformed request costs no look-up. `verify` is
 * called once for a client that exists, is enabled and is registered for the method, and a second time if its record has changed
 * in the meantime. What may be used once is claimed by the `claim` of a proof, which the token endpoint calls last, when nothing else
 * can refuse the request, and every other endpoint once the client has authenticated. Only `private_key_jwt` claims the `jti` of its
 * assertion at the end of `verify`.
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
  /** Its name in the IANA registry of RFC 7591 §4.2. */
  readonly method: string
  readonly reads: CredentialKind
  /** Members that it adds to the metadata document besides its name, RFC 8414 §2. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * Returns undefined when the request does not present this method.
   *
   * @throws OAuthError when the credentials of this method are malformed
   */
  read(request: FormRequest): Presented | undefined
}

/** The binding of a token to its holder. */
export interface Confirmed {
  /** Members of `cnf`, RFC 7800 §3.1. */
  readonly cnf: Readonly<Record<string, string>>
  /** The `token_type` of the response, if it is not `bearer`. */
  readonly tokenType?: 'DPoP'
  /** Headers to add to the response. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Claims a single-use value, such as the `jti` of a proof. The endpoint calls it once, after everything else that can refuse
   * the request. Rejects with OAuthError when the value was used before.
   */
  readonly claim?: () => Promise<void>
}

/**
 * One way to bind a token to its holder.
 *
 * The endpoint calls every confirmation in its list after the grant has permitted the request, and merges their members of `cnf`.
 * `confirm` returns undefined when neither the request nor the client's record asks for this binding. It writes nothing: a
 * single-use value, such as the `jti` of a proof, is claimed by `claim`, which the endpoint calls last, when nothing else can
 * refuse the request.
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
  /** The name of its member of `cnf`. */
  readonly method: string
  /** Members that it adds to the metadata document, RFC 8414 §2. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** @throws OAuthError when the binding is requested or required but not possible */
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
 * grant. The permit names the subject of the token and limits its content. Scopes, resource servers, lifetime, binding and
 * signature are handled in the same way for all grants and are not decided here. A grant writes nothing that a later refusal would
 * have to undo. To refuse a request, it throws an `OAuthError`; any other exception is answered with `server_error`.
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
  /** Its name in the IANA registry of RFC 7591 §4.1. */
  readonly grantType: string
  /** Members that it adds to the metadata document, RFC 8414 §2. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** The parameters that only this grant reads, as described in the OpenAPI document. */
  readonly parameters?: Readonly<Record<string, Parameter>>
  /**
   * Whether a client may receive the same token again while it is young. The permit must then depend on the client's record and
   * the parameters `scope`, `resource` and `audience` only. False by default.
   */
  readonly isReusable?: true
  /**
   * Methods that read the `subject_token`: this grant accepts it in place of the credentials that the request would otherwise have
   * to present. They go by the names of methods that clients are registered for.
   */
  readonly clientAuth?: readonly ClientAuth[]
  /**
   * @param credentials where the client's credentials were found
   * @throws OAuthError when the request is refused
   */
  permit(request: FormRequest, client: Client, context: Context, credentials?: CredentialKind): Promise<Permit>
}
