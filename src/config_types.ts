/** The configuration that comes of the settings, the names of these, and what can be wrong with them. */

import type { AuditLog } from './events/audit.ts'
import type { CredentialName } from './kms/credentials.ts'
import type { PresetSettings } from './preset_options.ts'

export interface Config extends Required<Omit<PresetSettings, 'issuer' | 'isAtRoot'>> {
  /** Undefined in development, where the issuer is the origin of each request. */
  readonly issuer: string | undefined
  /**
   * Private JWK Set, PKCS#8 PEM or URLs of keys, not yet parsed. Undefined in development, where the server makes a key, and where all are stored.
   */
  readonly signingKeys: string | undefined
  /** The keys that encrypt stored signing keys, not yet parsed. Undefined: there are none. */
  readonly keyEncryptionKeys: string | undefined
  /** Time for which a stored key signs; undefined to make no more keys. */
  readonly rotationSeconds: number | undefined
  /** Algorithms of stored keys, the preferred one first. */
  readonly signingAlgs: readonly string[]
  /** The operator's token, RFC 7591 §3. Without it nothing can be registered. */
  readonly registrationToken: string | undefined
  /** Whether a DPoP proof must contain a nonce that this server issued. */
  readonly dpopNonceRequired: boolean
  /** Which events the audit log has lines for. */
  readonly auditLog: AuditLog
  /** In a form that STORE_URLS matches. Workers use their bindings instead. */
  readonly storeUrl: string
  readonly dev: boolean
}

/** Names of the environment variables. */
export type Setting =
  | 'ISSUER'
  | 'SIGNING_KEYS'
  | 'KEY_ENCRYPTION_KEYS'
  | 'KEY_ROTATION_DAYS'
  | 'KEY_ROTATION_SECONDS'
  | 'SIGNING_ALG'
  | 'ACCESS_TOKEN_LIFETIME'
  | 'ACCESS_TOKEN_PROFILE'
  | 'TOKEN_REUSE_SECONDS'
  | 'AUDIT_LOG'
  | 'CACHE_SECONDS'
  | 'CLIENT_ASSERTION_LIFETIME'
  | 'REGISTRATION_TOKEN'
  | 'INTROSPECTIONS_PER_MINUTE'
  | 'DPOP_NONCE_REQUIRED'
  | 'TRUSTED_PROXIES'
  | 'CLIENT_CERT_VERIFIED'
  | 'SECURITY_CONTACT'
  | 'STORE_URL'
  | 'PORT'
  | 'HOST'
  | 'DEV'

/** A setting, a credential, or the file with the bindings, without which the server cannot run. The text never quotes a secret. */
export interface Problem {
  readonly setting: Setting | CredentialName | 'wrangler.toml'
  readonly problem: string
}
