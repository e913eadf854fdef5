/**
 * Both stores in an SQLite file, through the `node:sqlite` of Deno, Bun and Node. Several processes may share the file; every
 * process sees a write at once.
 */

import { DatabaseSync } from 'node:sqlite'
import { epochSeconds } from '../lib/clock.ts'
import type { Ledger, Level, Registry, Stores } from './contracts.ts'
import {
  LEDGER_ADD,
  LEDGER_COUNT,
  LEDGER_GET,
  LEDGER_LIST,
  LEDGER_RAISE,
  LEDGER_SCHEMA,
  LEDGER_SWEEP,
  LIST_ROWS,
  rangeOf,
  SLACK_SECONDS,
  SWEEP_ROWS,
} from './ledger_sql.ts'
import { createPrivately } from './private_file.ts'

/** How long the start waits for a lock that another connection holds. */
const START_MILLISECONDS = 5000
/** After the start SQLite waits only this long, because it blocks the event loop meanwhile; then the write is retried. */
const BUSY_TIMEOUT_MILLISECONDS = 5
const LOCK_RETRY_MILLISECONDS = 20
const WRITE_MILLISECONDS = 1500
/** Reading through memory-mapped pages instead of system calls makes a look-up among a million records a third faster. */
const MAX_MAPPED_BYTES = 1024 ** 3
const SWEEP_SECONDS = 60

const REGISTRY_SCHEMA = 'CREATE TABLE IF NOT EXISTS registry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;'

/**
 * Opens or creates the file.
 *
 * @param now returns epoch seconds
 * @throws Error if it cannot be opened
 */
export function sqliteStores(path: string, now: () => number = epochSeconds): Stores {
  createPrivately(path)
  // Only the registry waits for the disk: a power cut may cost the marks of a few seconds, but never a record.
  const records = open(path, 'FULL', REGISTRY_SCHEMA)
  const marks = open(path, 'NORMAL', LEDGER_SCHEMA)
  return {
    registry: sqliteRegistry(records),
    ledger: sqliteLedger(marks, now),
    async close() {
      records.close()
      marks.close()
    },
  }
}

function open(path: string, synchronous: 'FULL' | 'NORMAL', schema: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA busy_timeout = ${START_MILLISECONDS}`)
  switchToWal(database)
  database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA mmap_size = ${MAX_MAPPED_BYTES}; ${schema}`)
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`)
  return database
}

/** SQLite does not wait for the lock of this change, and processes that start together on a new file compete for it. */
function switchToWal(database: DatabaseSync): void {
  const deadline = Date.now() + START_MILLISECONDS
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isLocked(error) || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_RETRY_MILLISECONDS)
    }
  }
}

/** Runs a write and retries it while another connection holds the lock, without blocking the event loop in between. */
async function whenFree<T>(write: () => T): Promise<T> {
  const deadline = Date.now() + WRITE_MILLISECONDS
  for (;;) {
    try {
      return write()
    } catch (error) {
      if (!isLocked(error) || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MILLISECONDS))
    }
  }
}

function isLocked(error: unknown): boolean {
  return /locked|busy/i.test(String(error))
}

function sqliteRegistry(database: DatabaseSync): Registry {
  const get = database.prepare('SELECT value FROM registry WHERE key = ?')
  const put = database.prepare(
    'INSERT INTO registry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  const remove = database.prepare('DELETE FROM registry WHERE key = ?')
  const removeSame = database.prepare('DELETE FROM registry WHERE key = ? AND value = ?')
  const create = database.prepare('INSERT INTO registry VALUES (?, ?) ON CONFLICT (key) DO NOTHING')
  const replace = database.prepare('UPDATE registry SET value = ? WHERE key = ? AND value = ?')
  const list = database.prepare('SELECT key FROM registry WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?')
  return {
    get: async (key) => textOf(get.get(key), 'value'),
    put: async (key, value) => void (await whenFree(() => put.run(key, value))),
    delete: async (key) => void (await whenFree(() => remove.run(key))),
    async replace(key, expected, value) {
      const write = () => (expected === undefined ? create.run(key, value) : replace.run(value, key, expected))
      return Number((await whenFree(write)).changes) === 1
    },
    remove: async (key, expected) => Number((await whenFree(() => removeSame.run(key, expected))).changes) === 1,
    async list(prefix, { limit, cursor = '' }) {
      const rows = list.all(prefix, `${prefix}\u{10ffff}`, cursor, limit)
      const keys = rows.map((row) => String(row['key']))
      const last = keys.at(-1)
      return keys.length === limit && last !== undefined ? { keys, cursor: last } : { keys }
    },
  }
}

function sqliteLedger(database: DatabaseSync, now: () => number): Ledger {
  const add = database.prepare(LEDGER_ADD)
  const count = database.prepare(LEDGER_COUNT)
  const get = database.prepare(LEDGER_GET)
  const raise = database.prepare(LEDGER_RAISE)
  const list = database.prepare(LEDGER_LIST)
  const sweep = database.prepare(LEDGER_SWEEP)
  let sweepAt = now() + SWEEP_SECONDS
  const sweepSometimes = (): void => {
    if (now() < sweepAt) return
    const swept = sweep.all(now() - SLACK_SECONDS).length
    sweepAt = now() + (swept < SWEEP_ROWS ? SWEEP_SECONDS : 1)
  }
  return {
    add: (key, value, expiresAt) =>
      whenFree(() => {
        sweepSometimes()
        return add.get(key, value, expiresAt, now()) !== undefined
      }),
    count: (key, windowSeconds) =>
      whenFree(() => {
        sweepSometimes()
        return Number(textOf(count.get(key, now() + windowSeconds, now()), 'value'))
      }),
    raise: (key, value, expiresAt) =>
      whenFree(() => {
        sweepSometimes()
        return Number(textOf(raise.get(key, value, expiresAt, now()), 'value'))
      }),
    get: async (key) => textOf(get.get(key, now()), 'value'),
    async *list(family) {
      const { start, end } = rangeOf(family)
      const pageAfter = (key: string): Level[] =>
        list.all(key, end, now()).map((row) => ({ key: String(row['key']), value: Number(row['value']) }))
      let page = pageAfter(start)
      yield page
      for (let last = page.at(-1); last !== undefined && page.length === LIST_ROWS; last = page.at(-1)) {
        // Reading is synchronous; waiting for a timer between two pages lets other requests proceed.
        await new Promise((resolve) => setTimeout(resolve))
        page = pageAfter(last.key)
        yield page
      }
    },
  }
}

function textOf(row: Readonly<Record<string, unknown>> | undefined, column: string): string | undefined {
  return row === undefined ? undefined : String(row[column])
}
