/** What the full server is made from: stores, keys, settings, and what the runtime provides. */

import type { Nonces } from './assertions/nonce.ts'
import type { RemoteKeysOptions } from './assertions/remote_keys.ts'
import type { CertificateOptions } from './certificates/client_cert.ts'
import type { StatusOptions } from './endpoints/status.ts'
import type { TokenOptions } from './endpoints/token.ts'
import type { Emit } from './events/events.ts'
import type { Keyring } from './keys/keyring.ts'
import type { ProviderOptions } from './provider.ts'
import type { Sha256 } from './secrets/hashes.ts'
import type { Ledger, Registry } from './stores/contracts.ts'

/** What the runtime provides to the features. */
export interface FeatureHost extends Partial<Pick<RemoteKeysOptions, 'fetch' | 'resolve'>> {
  /** Returns the client's certificate, where the platform terminates TLS. */
  readonly certificateOf?: CertificateOptions['fromPlatform']
  /** The digest for generated secrets. WebCrypto's by default. */
  readonly sha256?: Sha256
  /** Returns epoch seconds; defaults to the clock of the runtime. */
  now?(): number
}

/** Stores, keys and settings of the provider. Only the issuer, the registry and the keyring have no default. */
export interface PresetOptions extends Opened, PresetSettings {}

/** What is opened when the server starts. */
export interface Opened extends Pick<StatusOptions, 'tokenForm'> {
  readonly registry: Registry
  readonly ledger: Ledger
  readonly keyring: Keyring
  /** Without them, DPoP proofs need no nonce. */
  readonly nonces?: Nonces | undefined
  /** SHA-256 of the operator's token, made by `hashToken`. Without it, there is no `/register`, no `/resources` and no `/issuers`. */
  readonly operatorTokenHash?: string | undefined
  /** Receives each event. By default, events are dropped. */
  readonly emit?: Emit
}

/** Settings of the provider. Only the issuer has no default. */
export interface PresetSettings
  extends Pick<TokenOptions, 'accessTokenProfile' | 'accessTokenLifetime' | 'tokenReuseSeconds'> {
  /** Issuer identifier, RFC 8414 §2, or a function that returns it for the URL of a request. */
  readonly issuer: ProviderOptions['issuer']
  /**
   * Whether the endpoints are also mounted at the root if the issuer has a path, for a proxy that strips that path. False by
   * default, so that an app which mounts this one keeps its other paths.
   */
  readonly isAtRoot?: boolean
  /** Time for which a record is used after it was read; 0 to read it for each request. `DEFAULT_CACHE_SECONDS` by default. */
  readonly cacheSeconds?: number
  /** Introspections that one caller may request per minute in each process or isolate; 0 for no limit. 60,000 by default. */
  readonly introspectionsPerMinute?: number
  /** Maximum time from now to the `exp` of a client assertion, in seconds. One hour by default. */
  readonly clientAssertionLifetime?: number
  /** Addresses and CIDR ranges of proxies whose `Client-Cert`, `Forwarded` and `X-Forwarded-For` headers are trusted. None by default. */
  readonly trustedProxies?: readonly string[]
  /** Whether those proxies forward only certificates that they have verified. False by default. */
  readonly clientCertVerified?: boolean
  /** URIs for `security.txt`, RFC 9116 §2.5.3; callers look for it at the root. None by default: there is no such file. */
  readonly securityContacts?: readonly string[]
}
