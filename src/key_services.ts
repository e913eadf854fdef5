/** Opens the keys that are in key management services. */

import { fetchBy } from './assertions/remote_keys.ts'
import type { Config, Problem } from './config_types.ts'
import type { Keyring } from './keys/keyring.ts'
import { readCredentials } from './kms/credentials.ts'
import { keyEncryptionUrls, unwrapKeyEncryptionKeys } from './kms/key_encryption_text.ts'
import { isKeyUrl } from './kms/key_url.ts'
import { readSigningKeySources, remoteKeyring } from './kms/remote_keyring.ts'
import { serviceTransport } from './kms/transport.ts'
import type { FeatureHost } from './preset_options.ts'

const NOT_TOGETHER = 'must not be set together with URLs in SIGNING_KEYS: keys sign there, or are stored here'

/** What the runtime provides. */
export interface KeyServiceHost extends Pick<FeatureHost, 'fetch'> {
  /** Holds the credentials. */
  readonly environment: Readonly<Record<string, unknown>>
  now(): number
}

/** What the settings say of keys. */
export interface KeySettings
  extends Pick<Config, 'issuer' | 'signingKeys' | 'keyEncryptionKeys' | 'accessTokenLifetime' | 'dpopNonceRequired'> {}

/** What the services provide. */
export interface KeyServices {
  /** The keys of SIGNING_KEYS; undefined if they are in the setting itself. */
  readonly keyring?: Keyring
  /** Returns the key-encryption keys without URLs; undefined if there are no URLs in the setting. */
  readonly unwrapKeyEncryptionKeys?: () => Promise<string>
  /** A secret that all processes and isolates of the issuer have; undefined if no credential is one. */
  readonly secret?: string | undefined
}

/** Returns what the settings name by URLs, or what is wrong with them. Sends no request: that is not possible when a Worker starts. */
export async function openKeyServices(
  settings: KeySettings,
  host: KeyServiceHost,
): Promise<KeyServices | readonly Problem[]> {
  const { issuer = '', signingKeys = '', keyEncryptionKeys = '', accessTokenLifetime: lifetimeSeconds } = settings
  const wrapped = await readUrls('KEY_ENCRYPTION_KEYS', () => keyEncryptionUrls(keyEncryptionKeys))
  if (isProblems(wrapped)) return wrapped
  if (isKeyUrl(signingKeys) && settings.keyEncryptionKeys !== undefined)
    return [{ setting: 'KEY_ENCRYPTION_KEYS', problem: NOT_TOGETHER }]
  const sources = isKeyUrl(signingKeys)
    ? await readUrls('SIGNING_KEYS', () => readSigningKeySources(signingKeys))
    : undefined
  if (isProblems(sources)) return sources
  const urls = [...wrapped.urls, ...(sources?.urls ?? [])]
  const credentials = readCredentials(
    urls.map(({ key }) => key),
    host.environment,
  )
  if (isProblems(credentials)) return credentials
  const secret = credentials.VAULT_TOKEN ?? credentials.AWS_SECRET_ACCESS_KEY
  if (settings.dpopNonceRequired && urls.length > 0 && secret === undefined)
    return [{ setting: 'VAULT_TOKEN', problem: 'is missing; DPoP nonces are derived from it' }]
  const call = serviceTransport({ fetch: (url, init) => fetchBy(host, url, init) })
  const services = { credentials, call, now: () => host.now() }
  return {
    secret,
    ...(sources && { keyring: remoteKeyring(sources, { lifetimeSeconds }, services) }),
    ...(wrapped.urls.length > 0 && {
      unwrapKeyEncryptionKeys: unwrapKeyEncryptionKeys(keyEncryptionKeys, issuer, services),
    }),
  }
}

/** Reads URLs of a setting. */
async function readUrls<T extends object>(
  setting: Problem['setting'],
  read: () => T | Promise<T>,
): Promise<T | readonly Problem[]> {
  try {
    return await read()
  } catch (error) {
    return [{ setting, problem: error instanceof Error ? error.message : String(error) }]
  }
}

function isProblems<T extends object>(outcome: T | readonly Problem[] | undefined): outcome is readonly Problem[] {
  return Array.isArray(outcome)
}
