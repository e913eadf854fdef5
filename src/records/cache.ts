/** A cache of records in this process or isolate: a record in use is read once per freshness period. */

import { temporarilyUnavailable } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { TimeoutError } from '../lib/within.ts'
import type { FindRecord } from './records.ts'

/** With `refresh`, a record read less than this long ago is considered the latest. */
const REFRESH_SECONDS = 2

/** After a failed read, a record that can be served stale is not read again for this long. */
const RETRY_SECONDS = 2

/** Time for which a miss is cached. Short, so that a newly created record is found soon. */
const UNKNOWN_SECONDS = 5

/** Time for which a record is served after its freshness has ended, while the registry fails. */
export const STALE_SECONDS = 300

/** Time that a caller waits for a read of the same record that another caller began. */
const SHARED_READ_SECONDS = 3

/** The LRU maps hold at least half of this, so 10,000 records in use stay cached. */
const MAX_RECORDS = 20_000
const MAX_UNKNOWN = 20_000

interface Held<T> {
  readonly record: T
  /** When its read began, epoch seconds: later writes are not in it. */
  readonly readAt: number
  /** Whether nothing written before the read began can be missing in it. */
  readonly isLatest: boolean
}

export interface CacheOptions {
  /** Prefix of the records, for the audit event. */
  readonly prefix: string
  /** Seconds for which a record is considered fresh. With 0, records are kept only to be served when the registry fails. */
  readonly freshSeconds: number
  /** Whether a read that does not ask for the latest may be late. */
  readonly isLate?: boolean
  readonly emit: Emit
  /** Returns epoch seconds. */
  now(): number
}

/** A cache of the records of one kind. */
export interface Cache<T> {
  readonly find: FindRecord<T>
  /** Drops a record, or the miss, after a write. */
  forget(id: string): void
}

/** Caches the results of `read`. Concurrent callers of the same record share one read. */
export function cacheRecords<T>(read: FindRecord<T>, options: CacheOptions): Cache<T> {
  const { freshSeconds, now } = options
  const known = lru<Held<T>>(MAX_RECORDS)
  const unknown = lru<number>(MAX_UNKNOWN)
  const failedAt = lru<number>(MAX_RECORDS)
  const reading = singleFlight<T | undefined>(SHARED_READ_SECONDS)
  // Incremented by each write. A read that began before a write may return the old record, so its result is not cached.
  let writes = 0

  const readAndCache = async (id: string, refresh: boolean): Promise<T | undefined> => {
    const [readAt, writesBefore] = [now(), writes]
    const record = unchanged(known.get(id)?.record, await read(id, { refresh }))
    failedAt.delete(id)
    if (writes !== writesBefore) return record
    if (record !== undefined) known.set(id, { record, readAt, isLatest: refresh || !options.isLate })
    else {
      known.delete(id)
      unknown.set(id, readAt)
    }
    return record
  }

  const find: FindRecord<T> = async (id, { refresh } = { refresh: false }) => {
    const held = known.get(id)
    const seconds = refresh ? Math.min(REFRESH_SECONDS, freshSeconds) : freshSeconds
    const isFresh = isWithin(now(), held?.readAt, seconds) && (!refresh || held?.isLatest === true)
    if (held !== undefined && isFresh) return held.record
    if (isWithin(now(), unknown.get(id), Math.min(UNKNOWN_SECONDS, freshSeconds))) return undefined
    try {
      const canServeStale = isWithin(now(), held?.readAt, freshSeconds + STALE_SECONDS)
      if (canServeStale && isWithin(now(), failedAt.get(id), RETRY_SECONDS)) throw new Error('it failed just now')
      return await reading(`${writes} ${refresh} ${id}`, () => readAndCache(id, refresh))
    } catch (error) {
      if (!isWithin(now(), failedAt.get(id), RETRY_SECONDS)) failedAt.set(id, now())
      return serveStale(id, held, error, options)
    }
  }

  const forget = (id: string): void => {
    writes++
    known.delete(id)
    unknown.delete(id)
  }
  return { find, forget }
}

/** Returns the held record if it has the same content, so that what was derived from the object stays valid. */
function unchanged<T>(held: T | undefined, read: T | undefined): T | undefined {
  return JSON.stringify(held) === JSON.stringify(read) ? held : read
}

/** False when `since` is in the future: a clock that was set back must not extend anything. */
function isWithin(now: number, since: number | undefined, seconds: number): boolean {
  return since !== undefined && since <= now && now < since + seconds
}

/**
 * Returns the record read before, or rethrows `error` when there is none or it is too old. `guardStores` limits reads of the registry,
 * not the time that a caller waits for the read of another.
 */
function serveStale<T>(id: string, held: Held<T> | undefined, error: unknown, options: CacheOptions): T {
  const { prefix, freshSeconds, now, emit } = options
  const age_seconds = now() - (held?.readAt ?? 0)
  if (held === undefined || age_seconds >= freshSeconds + STALE_SECONDS) {
    throw error instanceof TimeoutError
      ? temporarilyUnavailable('store_failed', 'The registry cannot be reached.', error)
      : error
  }
  emit({ event: 'record_served_stale', key: `${prefix}:${id}`, age_seconds, cause: causeText(error) })
  return held.record
}
