/** Records kept in this process or isolate for a stated time, so that a busy one costs one read in that time. */

import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { FindRecord } from './records.ts'

/** Between two reads of one record that somebody asks for beyond its freshness. */
const REFRESH_SECONDS = 2

/** After a failure the registry is not asked again for so long, where there is something to serve. */
const SPARED_SECONDS = 2

/** How long a name that nobody has is remembered, so that a new record need not wait for it. */
const UNKNOWN_SECONDS = 5

/** How long beyond its freshness a record is served while the registry fails. */
export const STALE_SECONDS = 300

/** How long somebody else's read of the same record is waited for. */
const SHARED_READ_SECONDS = 3

/** Twice the clients that can be busy at a time without being read again and again. */
const MAX_RECORDS = 20_000
const MAX_UNKNOWN = 20_000

interface Held<T> {
  readonly record: T
  /** When its read began, epoch seconds: what was written later is not in it. */
  readonly readAt: number
  /** Whether nothing written before the read began can be missing in it. */
  readonly isLatest: boolean
}

export interface CacheOptions {
  /** Of the records, for the audit. */
  readonly prefix: string
  /** 0 keeps records for the case of a failure only. */
  readonly freshSeconds: number
  /** Whether a read that does not ask for the latest may be late. */
  readonly isLate?: boolean
  readonly emit: Emit
  /** Epoch seconds. */
  now(): number
}

/** Records at hand. */
export interface Cache<T> {
  readonly find: FindRecord<T>
  /** Takes note that a record was written: what was known of it is not kept. */
  forget(id: string): void
}

/** Asks `read` when it has to, once for all who wait for the same record. */
export function cacheRecords<T>(read: FindRecord<T>, options: CacheOptions): Cache<T> {
  const { freshSeconds, now } = options
  const known = lru<Held<T>>(MAX_RECORDS)
  const unknown = lru<number>(MAX_UNKNOWN)
  const failedAt = lru<number>(MAX_RECORDS)
  const reading = singleFlight<T | undefined>(SHARED_READ_SECONDS)
  // Raised by each write: a read that was under way then may have seen what was there before.
  let writes = 0

  const readAnew = async (id: string, refresh: boolean): Promise<T | undefined> => {
    const [readAt, writesBefore] = [now(), writes]
    const record = await read(id, { refresh })
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
      const isSpared = isWithin(now(), held?.readAt, freshSeconds + STALE_SECONDS)
      if (isSpared && isWithin(now(), failedAt.get(id), SPARED_SECONDS)) throw new Error('it failed just now')
      return await reading(`${writes} ${refresh} ${id}`, () => readAnew(id, refresh))
    } catch (error) {
      if (!isWithin(now(), failedAt.get(id), SPARED_SECONDS)) failedAt.set(id, now())
      return standIn(id, held, error, options)
    }
  }

  const forget = (id: string): void => {
    writes++
    known.delete(id)
    unknown.delete(id)
  }
  return { find, forget }
}

/** A clock that was set back must not make anything last. */
function isWithin(now: number, since: number | undefined, seconds: number): boolean {
  return since !== undefined && since <= now && now < since + seconds
}

/** What was read before stands in for what cannot be read, for a while. */
function standIn<T>(id: string, held: Held<T> | undefined, error: unknown, options: CacheOptions): T {
  const { prefix, freshSeconds, now, emit } = options
  const age_seconds = now() - (held?.readAt ?? 0)
  if (held === undefined || age_seconds >= freshSeconds + STALE_SECONDS) throw error
  emit({ event: 'record_served_stale', key: `${prefix}:${id}`, age_seconds, cause: causeText(error) })
  return held.record
}
