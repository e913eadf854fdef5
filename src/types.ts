/** The types that features, stores and endpoints share: plain data and plain functions, no platform types. */

/** One secret of a client. Instants are epoch seconds. */
export interface ClientSecret {
  readonly id: string
  /** Modular-crypt string of the secret, such as `$2b$10$…`. */
  readonly hash: string
  readonly label?: string | undefined
  readonly created_at?: number | undefined
  /** 0 or absent: never. */
  readonly expires_at?: number | undefined
  /** Whether the client made the secret itself or set its `expires_at`. Not shown. */
  readonly set_by_client?: boolean | undefined
}

/**
 * A JSON Web Key that holds a public key. Its members are checked where it is used.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-4 RFC 7517 §4}
 */
export type Jwk = Readonly<Record<string, unknown>>

/**
 * A registered client, as stored: the members of RFC 7591 and those of this server.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 RFC 7591 §2}
 */
export interface Client {
  readonly client_id: string
  readonly client_secrets?: readonly ClientSecret[] | undefined
  /** Absent: `client_secret_basic` or `client_secret_post`. `none`: a public client. */
  readonly token_endpoint_auth_method?: string | undefined
  /** The only algorithm allowed for its assertions. Without it, every algorithm that fits its keys is allowed. */
  readonly token_endpoint_auth_signing_alg?: string | undefined
  readonly jwks?: { readonly keys: readonly Jwk[] } | undefined
  /** The https URL at which the client publishes its keys, instead of `jwks`. */
  readonly jwks_uri?: string | undefined
  readonly grant_types?: readonly string[] | undefined
  /** Space-separated patterns of the scopes that it may request. `*` matches one part between dots, a final `*` all further parts. */
  readonly scope?: string | undefined
  /** Space-separated scopes that it is granted when it requests none. */
  readonly default_scope?: string | undefined
  /** Identifiers of the resource servers for which it may request tokens. */
  readonly resources?: readonly string[] | undefined
  /** Seconds. Can shorten the lifetime that the server sets, not lengthen it. */
  readonly access_token_lifetime?: number | undefined
  /** Seconds for which its tokens are reused, instead of what the server sets; 0 for a new token each time. */
  readonly token_reuse_seconds?: number | undefined
  /** A distinguished name in the notation of RFC 4514. `tls_client_auth` requires exactly one of these five, RFC 8705 §2.1.2. */
  readonly tls_client_auth_subject_dn?: string | undefined
  readonly tls_client_auth_san_dns?: string | undefined
  readonly tls_client_auth_san_uri?: string | undefined
  readonly tls_client_auth_san_ip?: string | undefined
  readonly tls_client_auth_san_email?: string | undefined
  /** Static claims of its tokens, in addition to those that the server sets. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** Whether its tokens must be bound to a key, RFC 9449 §5.2. */
  readonly dpop_bound_access_tokens?: boolean | undefined
  /** Whether its tokens are bound to its certificate, RFC 8705 §3.4. */
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  /** Whether it may introspect the tokens of other clients for its `resources`. */
  readonly introspection?: boolean | undefined
  /** What it may do with tokens of others, and others with its tokens. */
  readonly token_exchange?: TokenExchange | undefined
  /** Identifiers of the trusted issuers whose assertions it may present as authorization grants. */
  readonly assertion_issuers?: readonly string[] | undefined
  /** The foreign tokens with which it may authenticate by `federated_jwt` or `spiffe_jwt`. */
  readonly federated_credentials?: readonly FederatedCredential[] | undefined
  readonly disabled?: boolean | undefined
}

/** What a client may exchange, and who may act for it. */
export interface TokenExchange {
  /** Identifiers of the resource servers that the client is: it may exchange tokens for them. */
  readonly as?: readonly string[] | undefined
  /** Whether tokens that it gets for a token of another client do not name it as an actor. */
  readonly impersonation?: boolean | undefined
  /** Space-separated patterns of scopes that it may add to those of the subject token. */
  readonly may_widen?: string | undefined
  /** The only client that may act for it: its tokens have it in `may_act`. */
  readonly may_act?: string | undefined
}

/** The value that a claim of a foreign token must have: this one, one of these, or one of the form of the glob. */
export type ClaimRule = string | number | boolean | readonly string[] | { readonly glob: string }

/** What must be true of the claims of a foreign token, by name or JSON pointer (RFC 6901). All of it must hold. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>

/** One way in which a client may authenticate without a secret of its own. Instants are epoch seconds. */
export interface FederatedCredential {
  readonly id: string
  readonly label?: string | undefined
  /** The identifier of a trusted issuer. */
  readonly issuer: string
  readonly claims: ClaimRules
  readonly created_at?: number | undefined
  /** 0 or absent: never. */
  readonly expires_at?: number | undefined
  /** Seconds. Can shorten the lifetime of tokens that it is used for, not lengthen it. */
  readonly access_token_lifetime?: number | undefined
}

/** An issuer of foreign tokens, as stored. At most one member names its keys; without one, they are found by discovery. */
export interface TrustedIssuer {
  /** The `iss` of its tokens, compared exactly, or `spiffe://` and a trust domain. */
  readonly issuer: string
  /** The name of the platform that its other members were taken from. */
  readonly preset?: string | undefined
  readonly jwks?: { readonly keys: readonly Jwk[] } | undefined
  readonly jwks_uri?: string | undefined
  /** The URL of its metadata document, if that is not below the issuer. */
  readonly discovery_uri?: string | undefined
  readonly spiffe_bundle_endpoint?: string | undefined
  /** Accepted values of `aud`, besides the issuer identifier of this server. */
  readonly audiences?: readonly string[] | undefined
  readonly signing_algs: readonly string[]
  /** Seconds from `iat`. */
  readonly max_age: number
  /** Whether a token authenticates once only. */
  readonly single_use: boolean
  /** Names of claims. A rule must pin one of them to exact values. */
  readonly required_claims: readonly string[]
  /** Accepted values of `typ`, in lower case, besides `JWT`, `JOSE` and none. */
  readonly token_types?: readonly string[] | undefined
  /** What its tokens are accepted for. */
  readonly uses: readonly string[]
  /** What names the subject of a token that is issued for its assertion; absent: `iss_sub`. */
  readonly subject?: string | undefined
  /** Seconds. Can shorten the lifetime of tokens that are issued for its assertions, not lengthen it. */
  readonly access_token_lifetime?: number | undefined
  readonly disabled?: boolean | undefined
}

/** A resource server for which tokens can be issued, as stored. */
export interface ResourceServer {
  /** Its identifier, RFC 8707 §2, which is the `aud` of its tokens. */
  readonly resource: string
  /** Space-separated patterns of the scopes that it has. Absent: every scope that the client may have. */
  readonly scope?: string | undefined
  /** Seconds. Can shorten the lifetime that the server sets, not lengthen it. */
  readonly access_token_lifetime?: number | undefined
  /** The algorithm that signs its tokens. Absent: the default of the server. */
  readonly signing_alg?: string | undefined
}

/** The certificate that a client presented in the TLS handshake. Instants are epoch seconds. */
export interface ClientCertificate {
  /** SHA-256 of its DER octets, base64url: `x5t#S256` of RFC 8705 §3.1. */
  readonly thumbprint: string
  /** Whether the TLS terminator verified that a CA it trusts issued the certificate. */
  readonly isVerified: boolean
  /** In the canonical form that `readDistinguishedName` returns. Use it for comparison only. */
  readonly subject: string
  readonly subjectAltNames: Readonly<Record<'dns' | 'uri' | 'ip' | 'email', readonly string[]>>
  readonly notBefore: number
  readonly notAfter: number
}

/**
 * The parameters of a form that have a value. Only parameters that may repeat can have several. Not a URLSearchParams: on Workers
 * every call to one crosses from JavaScript into C++.
 */
export interface Form {
  /** Returns the first value, or null when there is none. */
  get(name: string): string | null
  getAll(name: string): readonly string[]
}

/** A request with a parsed form body, as client authentication and the grants receive it. */
export interface FormRequest {
  readonly headers: Headers
  readonly form: Form
  readonly certificate?: ClientCertificate | undefined
}

/** The issuer and the time of one request. */
export interface Context {
  /** Issuer identifier, RFC 8414 §2. */
  readonly issuer: string
  /** URL of the token endpoint, which some clients name as the audience of their assertions. */
  readonly tokenEndpoint: string
  /** Epoch seconds at which the body of the request had arrived. */
  readonly now: number
}
