/** Opens the keys of an issuer: those of SIGNING_KEYS, those that are stored and rotated, or both. */

import type { Config } from './config_types.ts'
import type { Emit } from './events/events.ts'
import { type KeyEncryptionKeys, readKeyEncryptionKeys } from './keys/key_encryption.ts'
import { type FixedKeyring, generateKeyring, type Keyring, readKeyring } from './keys/keyring.ts'
import { type StoredKeyringOptions, storedKeyring } from './keys/stored_keyring.ts'
import type { Stores } from './stores/contracts.ts'
import { guardStores } from './stores/guard.ts'

/** What the runtime provides to the rotation of keys. */
export interface KeyHost {
  /** Keeps the runtime from ending work that no request waits for. */
  readonly waitUntil?: StoredKeyringOptions['waitUntil']
  /** Has the signing keys rotated in another place; by default here. */
  readonly rotateKeys?: StoredKeyringOptions['rotate']
}

/** The keys that the settings hold. */
export interface SettingKeys {
  readonly keyring?: FixedKeyring
  /** Returns KEY_ENCRYPTION_KEYS with keys in the place of URLs; undefined if there are no URLs in it. */
  readonly unwrapKeyEncryptionKeys?: (() => Promise<string>) | undefined
}

/**
 * Returns the keys of SIGNING_KEYS, in development a new one; none where all keys are stored.
 *
 * @throws TypeError when the setting is unusable; the message quotes no part of a key
 */
export async function readFixedKeys(config: Config): Promise<{ readonly keyring?: FixedKeyring }> {
  const { signingKeys, keyEncryptionKeys, accessTokenLifetime: lifetimeSeconds } = config
  if (signingKeys !== undefined) return { keyring: await readKeyring(signingKeys, { lifetimeSeconds }) }
  return keyEncryptionKeys === undefined ? { keyring: await generateKeyring({ lifetimeSeconds }) } : {}
}

/**
 * Returns the keyring. Nothing is read from the store or from another server before the first request.
 *
 * @throws TypeError when the registry cannot compare and write
 */
export async function openKeyring(
  config: Config,
  { keyring, unwrapKeyEncryptionKeys }: SettingKeys,
  { registry, ledger }: Pick<Stores, 'registry' | 'ledger'>,
  { waitUntil, rotateKeys }: KeyHost,
  emit: Emit,
): Promise<Keyring> {
  const { issuer, keyEncryptionKeys: text, accessTokenLifetime } = config
  if (issuer === undefined || text === undefined) return requireKeyring(keyring)
  return storedKeyring({
    issuer,
    registry: guardStores({ registry, ledger }).registry,
    keyEncryptionKeys: once(async () => readKeyEncryptionKeys((await unwrapKeyEncryptionKeys?.()) ?? text)),
    fixed: keyring?.keys ?? [],
    lifetimeSeconds: accessTokenLifetime,
    periodSeconds: config.rotationSeconds,
    algorithms: config.signingAlgs,
    emit,
    ...(waitUntil && { waitUntil }),
    ...(rotateKeys && { rotate: rotateKeys }),
  })
}

function requireKeyring(keyring: FixedKeyring | undefined): FixedKeyring {
  if (keyring === undefined) throw new TypeError('there are no keys')
  return keyring
}

/** Returns a function that does the work once, and again only if it has failed. */
function once(work: () => Promise<KeyEncryptionKeys>): () => Promise<KeyEncryptionKeys> {
  let done: Promise<KeyEncryptionKeys> | undefined
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined
      throw error
    })
    return done
  }
}
