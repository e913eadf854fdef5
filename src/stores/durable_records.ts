/**
 * Records in the SQLite database of a Durable Object, which copies them to KV. The table is authoritative; most reads use the
 * copy. A key without a row was never written through the object, so the value in KV is the record.
 */

import { within } from '../lib/within.ts'
import { type Alarms, wakeWithin } from './alarm.ts'
import type { KvNamespace } from './kv.ts'
import {
  RECORD_IN_KV,
  RECORD_PENDING,
  RECORD_READ,
  RECORD_WRITE,
  RECORDS_PENDING,
  RECORDS_SCHEMA,
  RECORDS_SWEEP,
  RECORDS_WAITING,
} from './records_sql.ts'

/** KV accepts one write per second for each key. */
const KV_PAUSE_SECONDS = 1

/** The alarm first checks this long after a write, then at intervals as long as KV has lacked the value, up to the last. */
const FIRST_CHECK_SECONDS = 2
const LAST_CHECK_SECONDS = 60

/** Time limit of one write to KV. */
const PATIENCE_SECONDS = 10

const LATE = `KV did not answer within ${PATIENCE_SECONDS} s`

/**
 * How long a deleted record is remembered. Afterwards KV is read again, whose locations may serve a value that they have read for
 * "60 seconds or more"; a day is far beyond that.
 */
const TOMBSTONE_SECONDS = 86_400

/** The part of an object's storage that is used. */
export interface ObjectStorage extends Alarms {
  readonly sql: Sql
}

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

interface Sql {
  exec(query: string, ...bindings: Value[]): { one(): Row; toArray(): readonly Row[] }
}

/** The records of one object. The value `undefined` means no record. */
export interface DurableRecords {
  get(key: string): Promise<string | undefined>
  /** Rejects if KV did not accept the value. The record is written nevertheless, and the alarm retries KV. */
  put(key: string, value: string | undefined): Promise<void>
  /** Writes if the record is `expected`. Returns whether it was written. Rejects like `put`. */
  replace(key: string, expected: string | undefined, value: string | undefined): Promise<boolean>
  /** Writes to KV what it lacks. Returns the seconds until there is more to do, undefined for never. */
  settle(): Promise<number | undefined>
}

/** @param now returns epoch seconds */
export function durableRecords(storage: ObjectStorage, kv: KvNamespace, now: () => number): DurableRecords {
  const { sql } = storage
  sql.exec(RECORDS_SCHEMA)
  const publish = publisher(sql, kv)

  const rowOf = (key: string): Row | undefined => sql.exec(RECORD_READ, key).toArray()[0]
  const readUnwritten = async (key: string) => (rowOf(key) === undefined ? kv.get(key) : null)
  const current = (key: string, unwritten: string | null): string | undefined => {
    const { value } = rowOf(key) ?? { value: unwritten }
    return value == null ? undefined : String(value)
  }
  const write = async (key: string, value: string | undefined): Promise<void> => {
    sql.exec(RECORD_WRITE, key, value ?? null, now())
    await publish(key)
  }
  return {
    get: async (key) => current(key, await readUnwritten(key)),
    async put(key, value) {
      // The alarm is set before the write: if the object ends after the table and before KV is written, the alarm continues.
      await wakeWithin(storage, FIRST_CHECK_SECONDS)
      await write(key, value)
    },
    async replace(key, expected, value) {
      const unwritten = await readUnwritten(key)
      await wakeWithin(storage, FIRST_CHECK_SECONDS)
      // There must be no await between this comparison and the write to the table.
      if (current(key, unwritten) !== expected) return false
      await write(key, value)
      return true
    },
    async settle() {
      sql.exec(RECORDS_SWEEP, now() - TOMBSTONE_SECONDS)
      const keys = sql.exec(RECORDS_PENDING).toArray()
      await Promise.allSettled(keys.map(({ key }) => publish(String(key))))
      return secondsToNext(sql, now())
    },
  }
}

function secondsToNext(sql: Sql, now: number): number | undefined {
  const { pending_since, deleted_at } = sql.exec(RECORDS_WAITING).one()
  if (typeof pending_since === 'number') {
    return Math.min(LAST_CHECK_SECONDS, Math.max(FIRST_CHECK_SECONDS, now - pending_since))
  }
  if (typeof deleted_at !== 'number') return undefined
  return Math.max(LAST_CHECK_SECONDS, deleted_at + TOMBSTONE_SECONDS - now)
}

/**
 * Returns a function that writes the latest value of a key to KV unless KV has it. Writes of one key run one after another,
 * because KV keeps whichever arrives last.
 */
function publisher(sql: Sql, kv: KvNamespace): (key: string) => Promise<void> {
  const turns = new Map<string, Promise<void>>()
  const tryOnce = async (key: string): Promise<void> => {
    const [row] = sql.exec(RECORD_PENDING, key).toArray()
    if (row === undefined) return
    const { value, version } = row
    // A write that hangs must not hold up the later ones of its key for ever.
    const written = value === null ? kv.delete(key) : kv.put(key, String(value))
    await within(PATIENCE_SECONDS, written, LATE)
    sql.exec(RECORD_IN_KV, key, Number(version))
  }
  const tryTwice = async (key: string): Promise<void> => {
    try {
      await tryOnce(key)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, KV_PAUSE_SECONDS * 1000))
      await tryOnce(key)
    }
  }
  return async (key) => {
    const before = turns.get(key) ?? Promise.resolve()
    const turn = before.catch(() => undefined).then(() => tryTwice(key))
    turns.set(key, turn)
    try {
      await turn
    } finally {
      if (turns.get(key) === turn) turns.delete(key)
    }
  }
}
