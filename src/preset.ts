/** The full server: makes every feature with its dependencies, and the one list of all endpoints. */

import { ASSERTION_ALGORITHMS } from './assertions/algorithms.ts'
import type { Nonces } from './assertions/nonce.ts'
import { type RemoteKeysOptions, remoteKeys } from './assertions/remote_keys.ts'
import { authentication } from './authentication/authenticate.ts'
import { clientSecretBasic } from './authentication/client_secret_basic.ts'
import { clientSecretPost } from './authentication/client_secret_post.ts'
import { privateKeyJwt } from './authentication/private_key_jwt.ts'
import { selfSignedTlsClientAuth } from './authentication/self_signed_tls_client_auth.ts'
import { tlsClientAuth } from './authentication/tls_client_auth.ts'
import { type CertificateOptions, clientCertificates, type FindCertificate } from './certificates/client_cert.ts'
import { CLIENTS } from './clients/registry.ts'
import type { Config } from './config.ts'
import { dpop } from './confirmations/dpop.ts'
import { mtls } from './confirmations/mtls.ts'
import { authorizeEndpoint } from './endpoints/authorize.ts'
import type { App, Endpoint } from './endpoints/endpoint.ts'
import { introspectEndpoint } from './endpoints/introspect.ts'
import { jwksEndpoint } from './endpoints/jwks.ts'
import { openapiEndpoint } from './endpoints/openapi.ts'
import { registerEndpoint } from './endpoints/register.ts'
import { resourcesEndpoint } from './endpoints/resources.ts'
import { revocationsEndpoint } from './endpoints/revocations.ts'
import { revokeEndpoint } from './endpoints/revoke.ts'
import { tokenEndpoint } from './endpoints/token.ts'
import type { Emit } from './events/events.ts'
import type { ClientAuth, Confirmation, Grant } from './features.ts'
import { clientCredentials } from './grants/client_credentials.ts'
import type { Keyring } from './keys/keyring.ts'
import { limitRate } from './policy/rate_limit.ts'
import { createProvider, type ProviderOptions } from './provider.ts'
import { openRecords, type Records } from './records/open.ts'
import { resourcesOf } from './resources/registry.ts'
import { scopesOf } from './resources/scopes.ts'
import { secretVerifier } from './secrets/verifier.ts'
import type { Ledger, Stores } from './stores/contracts.ts'
import { guardStores } from './stores/guard.ts'
import type { AccessTokenProfile } from './tokens/access_token.ts'
import { revocations } from './tokens/revocations.ts'

/** Time limit of one store operation. */
const STORE_SECONDS = 2

/** Time limit of one write of the registry. */
const WRITE_SECONDS = 5

/** What the runtime provides to the features. */
export interface FeatureHost extends RemoteKeysOptions {
  /** Returns the client's certificate, where the platform terminates TLS. */
  readonly certificateOf?: CertificateOptions['fromPlatform']
}

/** What was opened when the server started. */
export interface Opened extends Pick<Stores, 'registry' | 'ledger'> {
  readonly keyring: Keyring
  readonly nonces: Nonces | undefined
  readonly operatorTokenHash: string | undefined
  readonly emit: Emit
}

/** Returns the provider that the settings describe. A store that fails or hangs makes it answer 503. */
export function createPreset(host: FeatureHost, config: Config, opened: Opened): App {
  const { registry, ...guarded } = guardStores(opened, STORE_SECONDS, WRITE_SECONDS)
  const { ledger, nonces, emit } = guarded
  const { now } = host
  const records = openRecords(registry, { freshSeconds: config.cacheSeconds, emit, now })
  const verifySecret = secretVerifier()
  const findKeys = remoteKeys(host)
  return assemble({
    ...guarded,
    ...config,
    issuer: config.issuer ?? ((url) => new URL(url).origin),
    records,
    clientAuth: [
      clientSecretBasic(verifySecret),
      clientSecretPost(verifySecret),
      privateKeyJwt({ ledger, remoteKeys: findKeys, maxLifetimeSeconds: config.clientAssertionLifetime }),
      tlsClientAuth(),
      selfSignedTlsClientAuth(findKeys),
    ],
    grants: [clientCredentials()],
    confirmations: [dpop({ ledger, nonces }), mtls()],
    findCertificate: clientCertificates({
      fromPlatform: host.certificateOf,
      trustedProxies: config.trustedProxies,
      isVerifiedByProxy: config.clientCertVerified,
      emit,
    }),
    now,
  })
}

/** The parts from which the endpoints are made. */
export interface Parts extends Required<Pick<ProviderOptions, 'issuer' | 'emit' | 'now'>> {
  readonly records: Records
  /** Guarded by `guardStores`, like the registry of the records. Without it, tokens can be neither revoked nor introspected. */
  readonly ledger?: Ledger | undefined
  readonly keyring: Keyring
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: readonly Grant[]
  readonly confirmations?: readonly Confirmation[]
  /** Without it, client certificates are ignored. */
  readonly findCertificate?: FindCertificate
  /** Hash of the operator's token. Without it, there is no `/register` and no `/resources`. */
  readonly operatorTokenHash?: string | undefined
  /** Introspections that one caller may request per minute in each process or isolate; 0 for no limit. */
  readonly introspectionsPerMinute?: number
  readonly accessTokenProfile?: AccessTokenProfile
  /** In seconds, 1800 by default. */
  readonly accessTokenLifetime?: number
}

/**
 * Returns a provider with the endpoints that the parts make. They are mounted below the path of the issuer and also at the root,
 * for proxies that strip that path.
 */
export function assemble(parts: Parts): App {
  const { issuer, emit, now, records } = parts
  const path = typeof issuer === 'string' ? new URL(issuer).pathname.replace(/\/$/, '') : ''
  const findScopes = records.keep('scopes', () => scopesOf(records))
  return createProvider({
    issuer,
    emit,
    now,
    endpoints: endpointsOf(parts),
    mountAt: ['/', path || '/'],
    findScopes: async () => (await findScopes('supported')) ?? [],
  })
}

/** Returns every endpoint that the server offers. */
function endpointsOf({ records, ledger, keyring, emit, operatorTokenHash, ...parts }: Parts): readonly Endpoint[] {
  const { findCertificate = async () => undefined, confirmations = [], accessTokenLifetime = 1800 } = parts
  const { registry, staleSeconds } = records
  const caller = { authentication: authentication(parts.clientAuth, records.find(CLIENTS)), findCertificate }
  const denied = ledger && revocations(ledger, { lifetimeSeconds: accessTokenLifetime, staleSeconds })
  const endpoints: Endpoint[] = [
    authorizeEndpoint(),
    tokenEndpoint({
      ...caller,
      grants: parts.grants,
      confirmations,
      resources: resourcesOf(records),
      keyring,
      accessTokenProfile: parts.accessTokenProfile ?? 'rfc9068',
      accessTokenLifetime,
      emit,
    }),
    jwksEndpoint(keyring),
  ]
  if (denied !== undefined) {
    const limit = limitRate(parts.introspectionsPerMinute ?? 0)
    endpoints.push(
      revokeEndpoint({ ...caller, keyring, revocations: denied, emit }),
      introspectEndpoint({ ...caller, keyring, revocations: denied, limitRate: limit }),
      revocationsEndpoint({ keyring, revocations: denied, operatorTokenHash, emit }),
    )
  }
  if (operatorTokenHash !== undefined) {
    const offer = {
      grantTypes: parts.grants.map(({ grantType }) => grantType),
      authMethods: parts.clientAuth.map(({ method }) => method),
      signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
    }
    endpoints.push(
      registerEndpoint({ registry, offer, operatorTokenHash, revocations: denied, emit }),
      resourcesEndpoint({ registry, operatorTokenHash, signingAlgs: keyring.algorithms, emit }),
    )
  }
  return [...endpoints, openapiEndpoint()]
}
