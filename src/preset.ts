/** The full server: makes every feature with its dependencies, and the one list of all endpoints. */

import { fetchBy, type RemoteKeysOptions, remoteKeys } from './assertions/remote_keys.ts'
import { authentication } from './authentication/authenticate.ts'
import { clientSecretBasic } from './authentication/client_secret_basic.ts'
import { clientSecretPost } from './authentication/client_secret_post.ts'
import { federatedJwt } from './authentication/federated_jwt.ts'
import { privateKeyJwt } from './authentication/private_key_jwt.ts'
import { selfSignedTlsClientAuth } from './authentication/self_signed_tls_client_auth.ts'
import { spiffeJwt } from './authentication/spiffe_jwt.ts'
import { tlsClientAuth } from './authentication/tls_client_auth.ts'
import { clientCertificates, type FindCertificate } from './certificates/client_cert.ts'
import { CLIENTS } from './clients/registry.ts'
import { dpop } from './confirmations/dpop.ts'
import { mtls } from './confirmations/mtls.ts'
import { authorizeEndpoint } from './endpoints/authorize.ts'
import type { App, Endpoint } from './endpoints/endpoint.ts'
import { introspectEndpoint } from './endpoints/introspect.ts'
import { jwksEndpoint } from './endpoints/jwks.ts'
import { openapiEndpoint } from './endpoints/openapi.ts'
import { revocationsEndpoint } from './endpoints/revocations.ts'
import { revokeEndpoint } from './endpoints/revoke.ts'
import { securityTxtEndpoint } from './endpoints/security_txt.ts'
import { statusEndpoints } from './endpoints/status.ts'
import { type TokenOptions, tokenEndpoint } from './endpoints/token.ts'
import type { ClientAuth, Confirmation, Grant } from './features.ts'
import { clientCredentials } from './grants/client_credentials.ts'
import { jwtBearer } from './grants/jwt_bearer.ts'
import { tokenExchange } from './grants/token_exchange.ts'
import { forwardedAddress } from './http/forwarded.ts'
import { type IssuerKeys, issuerKeys } from './issuers/keys.ts'
import { ISSUERS } from './issuers/registry.ts'
import { workloadVerifier } from './issuers/verify.ts'
import { grantVerifier } from './issuers/verify_grant.ts'
import { epochSeconds } from './lib/clock.ts'
import { operatorEndpoints } from './operator_endpoints.ts'
import { limitRate } from './policy/rate_limit.ts'
import type { FeatureHost, Opened, PresetOptions, PresetSettings } from './preset_options.ts'
import { createProvider, type ProviderOptions } from './provider.ts'
import { DEFAULT_CACHE_SECONDS, openRecords, type Records } from './records/open.ts'
import { resourcesOf } from './resources/registry.ts'
import { scopesOf } from './resources/scopes.ts'
import { secretVerifier } from './secrets/verifier.ts'
import type { Ledger } from './stores/contracts.ts'
import { guardStores } from './stores/guard.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS, DEFAULT_TOKEN_PROFILE } from './tokens/access_token.ts'
import { activeTokens } from './tokens/active_token.ts'
import { DEFAULT_REUSE_SECONDS, tokenReuse } from './tokens/reuse.ts'
import { revocations, revokedIn } from './tokens/revocations.ts'

/**
 * Returns the full server: every grant, method of client authentication, confirmation and endpoint. A store that fails or
 * hangs makes it answer 503.
 *
 * @throws TypeError when `accessTokenLifetime` is longer than the lifetime that the keyring was made for
 * @example
 * ```ts
 * const app = createPreset({ issuer: 'https://tokens.example.com', keyring: await readKeyring(signingKeys), ...memoryStores() })
 * ```
 */
export function createPreset(options: PresetOptions, host: FeatureHost = {}): App {
  const { emit = () => undefined } = options
  const now = (): number => host.now?.() ?? epochSeconds()
  const { registry, ledger } = guardStores({ registry: options.registry, ledger: options.ledger })
  const verifySecret = secretVerifier({ sha256: host.sha256?.bind(host) })
  const fetching = fetchingBy(host, now)
  const [findKeys, foreignKeys] = [remoteKeys(fetching), issuerKeys(fetching)]
  const records = openRecords(registry, { freshSeconds: options.cacheSeconds ?? DEFAULT_CACHE_SECONDS, emit, now })
  const trust = { findIssuer: records.find(ISSUERS), keys: foreignKeys, ledger }
  const verifyWorkload = workloadVerifier(trust)
  const findActive = activeTokens({
    keyring: options.keyring,
    findClient: records.find(CLIENTS),
    isRevoked: revokedIn(ledger),
  })
  return assemble({
    ...options,
    ledger,
    records,
    issuerKeys: foreignKeys,
    clientAuth: [
      clientSecretBasic(verifySecret),
      clientSecretPost(verifySecret),
      privateKeyJwt({ ledger, remoteKeys: findKeys, maxLifetimeSeconds: options.clientAssertionLifetime }),
      tlsClientAuth(),
      selfSignedTlsClientAuth(findKeys),
      federatedJwt(verifyWorkload),
      spiffeJwt(verifyWorkload),
    ],
    grants: [
      clientCredentials(),
      tokenExchange(verifyWorkload, findActive),
      jwtBearer({ verify: grantVerifier(trust), findClient: records.find(CLIENTS) }),
    ],
    confirmations: [dpop({ ledger, nonces: options.nonces }), mtls()],
    findCertificate: clientCertificates({
      fromPlatform: host.certificateOf && ((request) => host.certificateOf?.(request)),
      trustedProxies: options.trustedProxies,
      isVerifiedByProxy: options.clientCertVerified,
      emit,
    }),
    emit,
    now,
  })
}

/** Returns how the keys of others are fetched. */
function fetchingBy(host: FeatureHost, now: () => number): RemoteKeysOptions {
  return {
    fetch: (url, init) => fetchBy(host, url, init),
    resolve: host.resolve && (async (hostname) => host.resolve?.(hostname) ?? []),
    now,
  }
}

/** The parts from which the endpoints are made. */
export interface Parts
  extends Required<Pick<ProviderOptions, 'issuer' | 'emit' | 'now'>>,
    Pick<TokenOptions, 'accessTokenProfile' | 'accessTokenLifetime' | 'tokenReuseSeconds'>,
    Pick<PresetSettings, 'introspectionsPerMinute' | 'isAtRoot' | 'securityContacts' | 'trustedProxies'>,
    Pick<Opened, 'keyring' | 'operatorTokenHash' | 'tokenForm'> {
  readonly records: Records
  /** Guarded by `guardStores`, like the registry of the records. Without it, tokens can be neither revoked nor introspected. */
  readonly ledger?: Ledger | undefined
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: readonly Grant[]
  readonly confirmations?: readonly Confirmation[]
  /** Without it, client certificates are ignored. */
  readonly findCertificate?: FindCertificate
  /** Without it, the keys of a trusted issuer are not fetched when it is saved. */
  readonly issuerKeys?: IssuerKeys
}

/** Returns a provider with the endpoints that the parts make. */
export function assemble(parts: Parts): App {
  const { issuer, emit, now, records, isAtRoot = false } = parts
  const path = typeof issuer === 'string' ? new URL(issuer).pathname.replace(/\/$/, '') : ''
  const findScopes = records.keep('scopes', () => scopesOf(records))
  return createProvider({
    issuer,
    emit,
    now,
    findAddress: parts.trustedProxies && forwardedAddress(parts.trustedProxies),
    endpoints: endpointsOf(parts),
    mountAt: isAtRoot ? ['/', path || '/'] : [path || '/'],
    findScopes: async () => (await findScopes('supported')) ?? [],
  })
}

/** Returns every endpoint that the server offers. */
function endpointsOf({ records, ledger, keyring, emit, operatorTokenHash, ...parts }: Parts): readonly Endpoint[] {
  const { findCertificate = async () => undefined, confirmations = [], grants } = parts
  const { accessTokenProfile = DEFAULT_TOKEN_PROFILE, accessTokenLifetime = DEFAULT_TOKEN_LIFETIME_SECONDS } = parts
  const { tokenReuseSeconds = DEFAULT_REUSE_SECONDS } = parts
  const reuse = tokenReuse()
  const token = { accessTokenProfile, accessTokenLifetime, tokenReuseSeconds, reuse }
  const { registry, staleSeconds } = records
  const caller = { authentication: authentication(parts.clientAuth, records.find(CLIENTS)), findCertificate }
  const denied =
    ledger && revocations(ledger, { lifetimeSeconds: accessTokenLifetime, staleSeconds, onDeny: reuse.drop })
  const endpoints: Endpoint[] = [
    authorizeEndpoint(),
    tokenEndpoint({ ...caller, ...token, grants, confirmations, resources: resourcesOf(records), keyring, emit }),
    jwksEndpoint(keyring),
  ]
  if (denied !== undefined) {
    const limit = limitRate(parts.introspectionsPerMinute)
    endpoints.push(
      revokeEndpoint({ ...caller, keyring, revocations: denied, emit }),
      introspectEndpoint({ ...caller, keyring, revocations: denied, limitRate: limit }),
      revocationsEndpoint({ keyring, revocations: denied, operatorTokenHash, emit }),
    )
  }
  if (operatorTokenHash !== undefined)
    endpoints.push(...operatorEndpoints({ ...parts, registry, keyring, operatorTokenHash, revocations: denied, emit }))
  if (parts.securityContacts?.length) endpoints.push(securityTxtEndpoint(parts.securityContacts))
  const { tokenForm } = parts
  return [...endpoints, ...statusEndpoints({ keyring, ledger, tokenForm }), openapiEndpoint()]
}
