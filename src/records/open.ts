/** The records of one registry, each kind kept in this process or isolate; what is written through it counts here at once. */

import type { Emit } from '../events/events.ts'
import type { Registry } from '../stores/contracts.ts'
import { type Cache, cacheRecords, STALE_SECONDS } from './cache.ts'
import { observeWrites } from './change.ts'
import { type FindRecord, type RecordKind, readRecords } from './records.ts'

export interface RecordsOptions {
  /** Seconds for which a record is considered fresh; 0 reads it each time. */
  readonly freshSeconds: number
  readonly emit: Emit
  /** Returns epoch seconds. */
  now(): number
}

export interface Records {
  /** What is written through it is found at once. */
  readonly registry: Registry
  /** How long a change may stay unseen by some process or isolate. */
  readonly staleSeconds: number
  /** Returns the finder of a kind. */
  find<T>(kind: RecordKind<T>): FindRecord<T>
  /** Keeps what `read` returns by id, until something under `prefix` and that id is written. */
  keep<T>(prefix: string, read: FindRecord<T>): FindRecord<T>
}

export function openRecords(registry: Registry, options: RecordsOptions): Records {
  const caches = new Map<string, Cache<unknown>>()
  const keep = <T>(prefix: string, read: FindRecord<T>): FindRecord<T> => {
    const held = caches.get(prefix) as Cache<T> | undefined
    const cache = held ?? cacheRecords(read, { prefix, isLate: registry.lagSeconds !== undefined, ...options })
    caches.set(prefix, cache)
    return cache.find
  }
  return {
    registry: observeWrites(registry, (key) => {
      const colon = key.indexOf(':')
      caches.get(key.slice(0, colon))?.forget(key.slice(colon + 1))
    }),
    staleSeconds: (registry.lagSeconds ?? 0) + options.freshSeconds + STALE_SECONDS,
    keep,
    find: (kind) => keep(kind.prefix, readRecords(registry, kind)),
  }
}
