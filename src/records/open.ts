/** The records of one registry, with a cache for each kind in this process or isolate. Writes update the cache at once. */

import type { Emit } from '../events/events.ts'
import { epochSeconds } from '../lib/clock.ts'
import type { Registry } from '../stores/contracts.ts'
import { type Cache, cacheRecords, STALE_SECONDS } from './cache.ts'
import { observeWrites } from './change.ts'
import { type FindRecord, type RecordKind, readRecords } from './records.ts'

/** How long a client or a resource server is considered fresh after it was read. */
export const DEFAULT_CACHE_SECONDS: number = 30

export interface RecordsOptions {
  /** Seconds for which a record is considered fresh; 0 reads it each time. `DEFAULT_CACHE_SECONDS` by default. */
  readonly freshSeconds?: number
  /** Receives each event; by default events are dropped. */
  readonly emit?: Emit
  /** Returns epoch seconds; defaults to the clock of the runtime. */
  now?(): number
}

/** The records of one registry, and their caches. */
export interface Records {
  /** Writes through it are found at once by this process or isolate. */
  readonly registry: Registry
  /** The longest time for which another process or isolate may not have seen a change. */
  readonly staleSeconds: number
  /** Returns the cached finder of a kind. */
  find<T>(kind: RecordKind<T>): FindRecord<T>
  /** Caches the results of `read` by id; a write to the key of `prefix` and that id drops the result. */
  keep<T>(prefix: string, read: FindRecord<T>): FindRecord<T>
}

/**
 * Returns the records of a registry.
 *
 * @param registry guarded by `guardStores`, so that a failure of it is answered with 503
 */
export function openRecords(registry: Registry, options: RecordsOptions = {}): Records {
  const { freshSeconds = DEFAULT_CACHE_SECONDS, emit = () => undefined } = options
  const now = (): number => options.now?.() ?? epochSeconds()
  const caches = new Map<string, Cache<unknown>>()
  const keep = <T>(prefix: string, read: FindRecord<T>): FindRecord<T> => {
    const held = caches.get(prefix) as Cache<T> | undefined
    const cache =
      held ?? cacheRecords(read, { prefix, isLate: registry.lagSeconds !== undefined, freshSeconds, emit, now })
    caches.set(prefix, cache)
    return cache.find
  }
  return {
    registry: observeWrites(registry, (key) => {
      const colon = key.indexOf(':')
      caches.get(key.slice(0, colon))?.forget(key.slice(colon + 1))
    }),
    staleSeconds: (registry.lagSeconds ?? 0) + freshSeconds + STALE_SECONDS,
    keep,
    find: (kind) => keep(kind.prefix, readRecords(registry, kind)),
  }
}
