/** Records kept in this process or isolate for a stated time, so that a busy one costs one read in that time. */

import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { FindRecord } from './records.ts'

/** Between two reads of one record that somebody asks for beyond its freshness. */
const REFRESH_SECONDS = 2

/** How long a name that nobody has is remembered, so that a new record need not wait for it. */
const UNKNOWN_SECONDS = 5

/** How long beyond its freshness a record is served while the registry fails. */
export const STALE_SECONDS = 300

/** How long somebody else's read of the same record is waited for. */
const SHARED_READ_SECONDS = 3

const MAX_RECORDS = 10_000
const MAX_UNKNOWN = 10_000

interface Held<T> {
  readonly record: T
  /** When its read began, epoch seconds: what was written later is not in it. */
  readonly readAt: number
}

export interface CacheOptions {
  /** Of the records, for the audit. */
  readonly prefix: string
  /** 0 keeps records for the case of a failure only. */
  readonly freshSeconds: number
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
export function cacheRecords<T>(read: FindRecord<T>, { prefix, freshSeconds, now, emit }: CacheOptions): Cache<T> {
  const known = lru<Held<T>>(MAX_RECORDS)
  const unknown = lru<number>(MAX_UNKNOWN)
  const reading = singleFlight<T | undefined>(SHARED_READ_SECONDS)
  const unknownSeconds = Math.min(UNKNOWN_SECONDS, freshSeconds)

  const readAnew = async (id: string): Promise<T | undefined> => {
    const readAt = now()
    const record = await read(id)
    if (record !== undefined) known.set(id, { record, readAt })
    else {
      known.delete(id)
      unknown.set(id, readAt)
    }
    return record
  }

  const find: FindRecord<T> = async (id, { refresh } = { refresh: false }) => {
    const held = known.get(id)
    const seconds = refresh ? Math.min(REFRESH_SECONDS, freshSeconds) : freshSeconds
    if (held !== undefined && now() < held.readAt + seconds) return held.record
    const missedAt = unknown.get(id)
    if (missedAt !== undefined && now() < missedAt + unknownSeconds) return undefined
    try {
      return await reading(id, () => readAnew(id))
    } catch (error) {
      const age_seconds = now() - (held?.readAt ?? 0)
      if (held === undefined || age_seconds >= freshSeconds + STALE_SECONDS) throw error
      emit({ event: 'record_served_stale', key: `${prefix}:${id}`, age_seconds, cause: causeText(error) })
      return held.record
    }
  }
  return {
    find,
    forget(id) {
      known.delete(id)
      unknown.delete(id)
    },
  }
}
