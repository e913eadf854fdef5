/**
 * The main entry of the package: the provider, everything that it can offer, and the contracts to offer more. Nothing here runs
 * when it is imported, so a bundler drops what is not used. Stores have entries of their own, such as `edgemint/stores/sqlite`.
 */

export { type Nonces, nonces } from './assertions/nonce.ts'
export { type RemoteKeys, type RemoteKeysOptions, remoteKeys } from './assertions/remote_keys.ts'
export {
  type Authenticated,
  type Authentication,
  authentication,
  type Unclaimed,
} from './authentication/authenticate.ts'
export { clientSecretBasic } from './authentication/client_secret_basic.ts'
export { clientSecretPost } from './authentication/client_secret_post.ts'
export { federatedJwt } from './authentication/federated_jwt.ts'
export { type PrivateKeyJwtOptions, privateKeyJwt } from './authentication/private_key_jwt.ts'
export { selfSignedTlsClientAuth } from './authentication/self_signed_tls_client_auth.ts'
export { spiffeJwt } from './authentication/spiffe_jwt.ts'
export { tlsClientAuth } from './authentication/tls_client_auth.ts'
export {
  type CertificateOptions,
  type Connection,
  clientCertificates,
  type FindCertificate,
} from './certificates/client_cert.ts'
export { CLIENTS, clientKey, clientRecord, type FindClient } from './clients/registry.ts'
export { type DpopOptions, dpop } from './confirmations/dpop.ts'
export { mtls } from './confirmations/mtls.ts'
export { authorizeEndpoint } from './endpoints/authorize.ts'
export { type App, contextOf, type Endpoint, type Site } from './endpoints/endpoint.ts'
export { type CheckReadiness, healthEndpoints, type ReadinessOptions, readiness } from './endpoints/health.ts'
export { homeEndpoint } from './endpoints/home.ts'
export type { TokenForm } from './endpoints/home_form.ts'
export type { HomeOptions } from './endpoints/home_page.ts'
export { introspectEndpoint } from './endpoints/introspect.ts'
export { type IssuersOptions, issuersEndpoint } from './endpoints/issuers.ts'
export { jwksEndpoint } from './endpoints/jwks.ts'
export { type KeysOptions, keysEndpoint } from './endpoints/keys.ts'
export { openapiEndpoint } from './endpoints/openapi.ts'
export { registerEndpoint } from './endpoints/register.ts'
export { resourcesEndpoint } from './endpoints/resources.ts'
export { revocationsEndpoint } from './endpoints/revocations.ts'
export { revokeEndpoint } from './endpoints/revoke.ts'
export { securityTxtEndpoint } from './endpoints/security_txt.ts'
export { type StatusOptions, statusEndpoints } from './endpoints/status.ts'
export { type TokenOptions, tokenEndpoint } from './endpoints/token.ts'
export { OAuthError } from './errors.ts'
export { auditLines } from './events/audit.ts'
export type { Caller } from './events/caller.ts'
export type { Emit, ServerEvent } from './events/events.ts'
export type { ClientAuth, Confirmation, Confirmed, ForeignToken, Grant, Presented, Proof } from './features.ts'
export { clientCredentials } from './grants/client_credentials.ts'
export { type JwtBearerOptions, jwtBearer } from './grants/jwt_bearer.ts'
export { tokenExchange } from './grants/token_exchange.ts'
export { callerOf, emitFrom, type FindAddress } from './http/caller.ts'
export { readFormRequest } from './http/form.ts'
export { forwardedAddress } from './http/forwarded.ts'
export { publicHeaders, securityHeaders } from './http/respond.ts'
export { type IssuerKeys, issuerKeys } from './issuers/keys.ts'
export { ISSUERS } from './issuers/registry.ts'
export { type VerifyWorkload, type WorkloadOptions, workloadVerifier } from './issuers/verify.ts'
export { grantVerifier, type VerifiedGrant, type VerifyGrant } from './issuers/verify_grant.ts'
export { type KeyEncryptionKeys, readKeyEncryptionKeys } from './keys/key_encryption.ts'
export {
  type FixedKeyring,
  generateKeyring,
  type Keyring,
  type KeyringOptions,
  type KeySet,
  readKeyring,
} from './keys/keyring.ts'
export { type ManagedKeyring, type StoredKeyringOptions, storedKeyring } from './keys/stored_keyring.ts'
export type { Permit } from './permit.ts'
export { limitRate } from './policy/rate_limit.ts'
export { createPreset } from './preset.ts'
export type { FeatureHost, Opened, PresetOptions, PresetSettings } from './preset_options.ts'
export { createProvider, type ProviderOptions } from './provider.ts'
export type { ClientReason, CustomReason, Reason } from './reasons.ts'
export { openRecords, type Records, type RecordsOptions } from './records/open.ts'
export { type Resources, resourcesOf } from './resources/registry.ts'
export { scopesOf } from './resources/scopes.ts'
export { generateSecret } from './secrets/generated.ts'
export { hashSecret, hashToken } from './secrets/hashes.ts'
export { type SecretVerifierOptions, secretVerifier, type VerifySecret } from './secrets/verifier.ts'
export type { Ledger, Level, Page, ReadOptions, Registry, Stores } from './stores/contracts.ts'
export { guardStores } from './stores/guard.ts'
export { type ActiveToken, type ActiveTokenOptions, activeTokens, type FindActive } from './tokens/active_token.ts'
export { type Denial, type TokenReuse, tokenReuse } from './tokens/reuse.ts'
export { type Denied, type Revocations, revocations, revokedIn } from './tokens/revocations.ts'
export type {
  ClaimRule,
  ClaimRules,
  Client,
  ClientSecret,
  Context,
  FederatedCredential,
  Form,
  FormRequest,
  Jwk,
  ResourceServer,
  TokenExchange,
  TrustedIssuer,
} from './types.ts'
