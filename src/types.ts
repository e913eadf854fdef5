/** The contracts that features, stores and endpoints meet: plain data and plain functions, no platform types. */

import type { ClientReason } from './errors.ts'

/** One secret of a client. Instants are epoch seconds. */
export interface ClientSecret {
  readonly id: string
  /** Modular-crypt string of the secret, such as `$2b$10$…`. */
  readonly hash: string
  readonly label?: string | undefined
  readonly created_at?: number | undefined
  /** 0 or absent for never. */
  readonly expires_at?: number | undefined
}

/** A public key as JSON, RFC 7517 §4; its members are checked where it is used. */
export type Jwk = Readonly<Record<string, unknown>>

/**
 * A registered client, as stored: the members of RFC 7591 and ours beside them.
 *
 * @see RFC 7591 §2
 */
export interface Client {
  readonly client_id: string
  readonly client_secrets?: readonly ClientSecret[] | undefined
  /** Absent: `client_secret_basic` or `client_secret_post`. `none`: a public client. */
  readonly token_endpoint_auth_method?: string | undefined
  /** The only algorithm of its assertions; absent for any that fits its keys. */
  readonly token_endpoint_auth_signing_alg?: string | undefined
  readonly jwks?: { readonly keys: readonly Jwk[] } | undefined
  /** Instead of `jwks`: where its keys are published, an https URL. */
  readonly jwks_uri?: string | undefined
  readonly grant_types?: readonly string[] | undefined
  /** Space-separated patterns of the scopes it may ask for; `*` stands for a part between dots. */
  readonly scope?: string | undefined
  /** Space-separated scopes that it gets when it asks for none. */
  readonly default_scope?: string | undefined
  /** Identifiers of the resource servers it may ask tokens for. */
  readonly resources?: readonly string[] | undefined
  /** Seconds; shortens the server's lifetime, never lengthens it. */
  readonly access_token_lifetime?: number | undefined
  /** For `tls_client_auth`, exactly one of the five, RFC 8705 §2.1.2; this one as RFC 4514 writes it. */
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly tls_client_auth_san_uri?: string | undefined
  readonly tls_client_auth_san_ip?: string | undefined
  readonly tls_client_auth_san_email?: string | undefined
  readonly disabled?: boolean | undefined
}

/** What a client showed in the TLS handshake. Instants are epoch seconds. */
export interface ClientCertificate {
  /** SHA-256 of its DER octets, base64url: `x5t#S256` of RFC 8705 §3.1. */
  readonly thumbprint: string
  /** Whether who ended the TLS connection found it to come from a CA that is trusted there. */
  readonly isVerified: boolean
  /** In the form of `readDistinguishedName`, to be compared only. */
  readonly subject: string
  readonly subjectAltNames: Readonly<Record<'dns' | 'uri' | 'ip' | 'email', readonly string[]>>
  readonly notBefore: number
  readonly notAfter: number
}

/** A form request whose body was read: what client authentication and the grants see of it. */
export interface FormRequest {
  readonly headers: Headers
  /** Parameters that have a value; only those that may repeat do. */
  readonly form: URLSearchParams
  readonly certificate?: ClientCertificate | undefined
}

/** What holds for one request, wherever it is asked. */
export interface Context {
  /** Issuer identifier, RFC 8414 §2. */
  readonly issuer: string
  /** URL of the token endpoint, which some clients name as the audience of their assertions. */
  readonly tokenEndpoint: string
  /** Epoch seconds at which the request came. */
  readonly now: number
}

/** Credentials found in a request and not yet checked. */
export interface Presented {
  /** Empty when the request leaves it out. */
  readonly client_id: string
  /** Gives undefined when the client proved who it is, else why not. Rejects only when that could not be found out. */
  verify(client: Client, context: Context): Promise<ClientReason | undefined>
}

/** One `token_endpoint_auth_method`. */
export interface ClientAuth {
  /** As registered in the IANA registry that RFC 7591 §4.2 set up. */
  readonly method: string
  /**
   * Whether the connection bears the proof and not the request: then it counts only where the request presents nothing, and
   * for a client that is registered for it.
   */
  readonly isOfConnection?: boolean
  /** Gives undefined when the request does not present this method. Throws OAuthError when it does so badly. */
  read(request: FormRequest): Presented | undefined
}

/** What a grant allows at most; policy decides what of it the token gets. */
export interface Permit {
  /** The `sub` of the token. */
  readonly subject: string
  /** Patterns of the scopes that may be granted. */
  readonly scope: readonly string[]
  /** Scopes granted when none is asked. */
  readonly defaultScope: readonly string[]
  /** Identifiers of resource servers that may be granted. */
  readonly resources: readonly string[]
}

/** One `grant_type`. The endpoint has checked that the client may use it. */
export interface Grant {
  /** As registered in the IANA registry of RFC 7591 §4.1. */
  readonly grantType: string
  /** Throws OAuthError when the request is no good. */
  permit(request: FormRequest, client: Client, context: Context): Promise<Permit>
}

/** Keys in the order of their octets. */
export interface Page {
  readonly keys: readonly string[]
  /** For the next page; absent when this was the last. */
  readonly cursor?: string
}

/**
 * Where records live that are read often and written seldom. Keys are ASCII, values JSON texts of up to 64 KiB. A write
 * may take the backend's time to be seen elsewhere, but never gets lost once its promise has resolved.
 *
 * Every function rejects when the backend fails.
 */
export interface Registry {
  get(key: string): Promise<string | undefined>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  /** @param options `limit` 1 to 1000; `cursor` as the page before gave it, for the same prefix */
  list(prefix: string, options: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page>
}

/**
 * Where marks live that must be made once or counted, and be seen at once by every process and isolate. Each function is
 * atomic. Instants are epoch seconds by the clock that the ledger was opened with.
 *
 * Every function rejects when the backend fails.
 */
export interface Ledger {
  /** Gives true to exactly one caller for a key until the mark expires, false to all others. */
  add(key: string, value: string, expiresAt: number): Promise<boolean>
  /** Counts this call and gives how many there were within the window, which the first of them opened. */
  count(key: string, windowSeconds: number): Promise<number>
  get(key: string): Promise<string | undefined>
  delete(key: string): Promise<void>
}

/** Both needs, met by one backend or by two. */
export interface Stores {
  readonly registry: Registry
  readonly ledger: Ledger
  /** Lets go of files and connections; nothing may be asked afterwards. */
  close(): Promise<void>
}
