/** The contracts that features, stores and endpoints meet: plain data and plain functions, no platform types. */

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
  /** Static members of its tokens, beside those that the server gives. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** Its tokens are bound to a key, RFC 9449 §5.2. */
  readonly dpop_bound_access_tokens?: boolean | undefined
  /** Its tokens are bound to its certificate, RFC 8705 §3.4. */
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  /** May ask `/introspect`. */
  readonly introspection?: boolean | undefined
  readonly disabled?: boolean | undefined
}

/** A resource server that tokens can be for, as stored. */
export interface ResourceServer {
  /** Its identifier, RFC 8707 §2: what stands in `aud`. */
  readonly resource: string
  /** Space-separated patterns of the scopes there; absent: whatever the client may have. */
  readonly scope?: string | undefined
  /** Seconds; shortens the server's lifetime, never lengthens it. */
  readonly access_token_lifetime?: number | undefined
  /** The algorithm of its tokens; absent: the default. */
  readonly signing_alg?: string | undefined
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

/**
 * The parameters of a form that have a value; only those that may repeat do. Not a URLSearchParams: on Workers every call to
 * one crosses from JavaScript into C++.
 */
export interface Form {
  /** Returns the first value, null when there is none. */
  get(name: string): string | null
  getAll(name: string): readonly string[]
}

/** A form request whose body was read: what client authentication and the grants see of it. */
export interface FormRequest {
  readonly headers: Headers
  readonly form: Form
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
