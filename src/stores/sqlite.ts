/** Records in an SQLite file, through the `node:sqlite` that Deno, Bun and Node ship. Several processes may share it. */

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Registry } from '../types.ts'

const BUSY_TIMEOUT_MILLISECONDS = 5000

/**
 * Opens or creates the file, readable by its owner only.
 *
 * @throws Error when it cannot be opened
 */
export function sqliteRegistry(path: string): Registry {
  createPrivately(path)
  const database = new DatabaseSync(path)
  database.exec(`
    PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS};
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS registry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `)
  const get = database.prepare('SELECT value FROM registry WHERE key = ?')
  const put = database.prepare(
    'INSERT INTO registry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  return {
    async get(key) {
      const row = get.get(key)
      return row === undefined ? undefined : String(row['value'])
    },
    async put(key, value) {
      put.run(key, value)
    },
  }
}

/** SQLite gives its side files the mode of the database, so that mode is set before SQLite sees it. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}
