/** The keys of an issuer that the server makes, stores encrypted and rotates, next to those of SIGNING_KEYS. */

import { conflict } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import type { Registry } from '../stores/contracts.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import type { KeyEncryptionKeys } from './key_encryption.ts'
import { keyTimes } from './key_times.ts'
import type { Keyring } from './keyring.ts'
import type { SigningKey } from './signing_key.ts'
import { type KeyChanges, keyChanges } from './stored_changes.ts'
import { type Held, type StoredReader, storedReader } from './stored_reader.ts'
import { type KeyStatus, type StoredView, viewAt } from './stored_view.ts'
import { keyWatch } from './stored_watch.ts'

export const DEFAULT_ROTATION_DAYS = 30
export const DEFAULT_SIGNING_ALG = 'ES256'

const DAY_SECONDS = 86_400

export interface StoredKeyringOptions {
  readonly issuer: string
  /** Guarded by `guardStores`. */
  readonly registry: Registry
  /** Returns the keys that encrypt the private keys. Never called at start, so it may use the network. */
  readonly keyEncryptionKeys: () => Promise<KeyEncryptionKeys>
  /** The keys of SIGNING_KEYS. None by default. */
  readonly fixed?: readonly SigningKey[]
  /** The longest lifetime of a token; half an hour by default. */
  readonly lifetimeSeconds?: number
  /** Time for which a key signs; 30 days by default, undefined to make no more keys. */
  readonly periodSeconds?: number | undefined
  /** Algorithms of the keys, the preferred one first; ES256 by default. */
  readonly algorithms?: readonly string[]
  /** Receives each event; by default events are dropped. */
  readonly emit?: Emit
  /** Keeps the runtime from ending work that no request waits for. */
  waitUntil?(work: Promise<unknown>): void
  /** Makes what is due in the stored set, in another place; by default here. */
  rotate?(): Promise<void>
}

/** What `POST /keys` asks for. */
export interface Advance {
  /** All algorithms by default. */
  readonly alg?: string | undefined
  /** Whether a key signs at once that verifiers may not know yet. */
  readonly force?: boolean | undefined
}

/** A keyring whose keys an operator can see and change. Instants are epoch seconds. */
export interface ManagedKeyring extends Keyring {
  /** Makes what is due. Called by a timer or an alarm, so that a server without requests rotates too. */
  rotate(now: number): Promise<void>
  /** How often `rotate` should be called. */
  readonly rotateSeconds: number
  at(now: number): StoredView | Promise<StoredView>
  fresh(now: number): Promise<StoredView>
  /** Returns the latest state of all keys. */
  list(now: number): Promise<readonly KeyStatus[]>
  /** Has the announced keys sign at once, and announces others. @throws OAuthError `conflict` */
  advance(now: number, options: Advance): Promise<void>
  /** Removes a key. @throws OAuthError `not_found`, or `conflict` for a key of SIGNING_KEYS */
  revoke(now: number, kid: string): Promise<void>
  /** Encrypts all keys under the first key-encryption key. */
  rewrap(now: number): ReturnType<KeyChanges['rewrap']>
}

/** Returns whether the keys of a keyring can be changed by an operator. */
export function isManaged(keyring: Keyring): keyring is ManagedKeyring {
  return 'advance' in keyring
}

/**
 * Returns the keyring. It reads nothing before the first request, and then again every minute. Which key signs depends on the clock only;
 * the request that finds a key due has it made, off the path of the request.
 *
 * @throws TypeError when the registry cannot compare and write
 */
export function storedKeyring(options: StoredKeyringOptions): ManagedKeyring {
  const { registry, fixed = [], algorithms = [DEFAULT_SIGNING_ALG], emit = () => undefined } = options
  const { lifetimeSeconds = DEFAULT_TOKEN_LIFETIME_SECONDS } = options
  const periodSeconds = 'periodSeconds' in options ? options.periodSeconds : DEFAULT_ROTATION_DAYS * DAY_SECONDS
  if (typeof registry.replace !== 'function')
    throw new TypeError('cannot be used with a registry that does not compare and write (`replace`), such as KV alone')
  const times = keyTimes(lifetimeSeconds, periodSeconds)
  const planning = { keepSeconds: times.keepSeconds, periodSeconds, algorithms, isSecond: fixed.length > 0 }
  const changes = keyChanges({ ...options, plan: planning, emit })
  const view = { ...times, algorithms }
  const rotate = async (now: number): Promise<void> => (options.rotate ? options.rotate() : changes.rotate(now))
  const reader = storedReader({
    ...options,
    ...times,
    emit,
    background: (work) => options.waitUntil?.(work),
    start: rotate,
    isUsable: ({ keys }, now) => isUsable(viewAt(keys, fixed, now, view)),
  })
  const watch = keyWatch({
    fixed,
    view,
    plan: planning,
    nudgeSeconds: times.nudgeSeconds,
    emit,
    background: (work) => options.waitUntil?.(work),
    rotate: (now) => rotate(now).then(async () => void (await reader.readLatest(now))),
  })
  const settledSeconds = times.maxAgeSeconds + times.readSeconds + (registry.lagSeconds ?? 0)
  return {
    algorithms: [...new Set([...algorithms, ...fixed.map(({ alg }) => alg)])],
    lifetimeSeconds,
    maxAgeSeconds: times.maxAgeSeconds,
    rotateSeconds: times.nudgeSeconds,
    rotate,
    at(now) {
      const held = reader.at(now)
      return held instanceof Promise ? held.then((read) => watch(read, now)) : watch(held, now)
    },
    fresh: async (now) => watch(await reader.fresh(now), now),
    ...management({ reader, watch, rotate, changes, fixed, settledSeconds }),
  }
}

/** Keys that cannot be decrypted are not read again past the caches. */
function isUsable({ signing, isUnreadable }: StoredView): boolean {
  return signing() !== undefined || isUnreadable === true
}

interface Managing {
  readonly reader: StoredReader
  readonly watch: (held: Held, now: number) => StoredView
  readonly changes: KeyChanges
  readonly fixed: readonly SigningKey[]
  /** Age from which every verifier knows an announced key. */
  readonly settledSeconds: number
  rotate(now: number): Promise<void>
}

function management({
  reader,
  watch,
  changes,
  fixed,
  settledSeconds,
  rotate,
}: Managing): Pick<ManagedKeyring, 'list' | 'advance' | 'revoke' | 'rewrap'> {
  const readAfter = async <T>(now: number, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } finally {
      // The change is made, whether it can be read back now or only later.
      await reader.readLatest(now).catch(() => undefined)
    }
  }
  return {
    list: async (now) => watch(await reader.readLatest(now), now).statuses,
    advance: (now, { alg, force = false }) =>
      readAfter(now, async () => {
        await changes.advance(now, force ? 0 : settledSeconds, alg)
        await rotate(now)
      }),
    async revoke(now, kid) {
      if (fixed.some((key) => key.kid === kid))
        throw conflict('The key is one of SIGNING_KEYS: remove it there, and restart.', 'key_static')
      await readAfter(now, async () => {
        await changes.revoke(now, kid)
        await rotate(now)
      })
    },
    rewrap: (now) => readAfter(now, changes.rewrap),
  }
}
