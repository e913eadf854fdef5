/**
 * The ledger in SQL, for SQLite files and for the SQLite of Durable Objects. Parameters are not numbered, because the older
 * versions of Node 22 and 24 do not bind numbered ones.
 */

export const LEDGER_SCHEMA = `
  CREATE TABLE IF NOT EXISTS ledger (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ledger_expires_at ON ledger (expires_at);
`

/** Maximum number of rows in one page of a listing. */
export const LIST_ROWS = 1000

/** (key, value, expires_at, now) → one row if the mark was made. */
export const LEDGER_ADD = `
  INSERT INTO ledger VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at WHERE ledger.expires_at <= ?
  RETURNING key`

/** (key, end of a window opened now, now) → value. */
export const LEDGER_COUNT = `
  INSERT INTO ledger VALUES (?, '1', ?)
  ON CONFLICT (key) DO UPDATE SET (value, expires_at) = (
    SELECT iif(is_over, '1', CAST(ledger.value + 1 AS TEXT)), iif(is_over, excluded.expires_at, ledger.expires_at)
    FROM (SELECT ledger.expires_at <= ? AS is_over)
  )
  RETURNING value`

/** (key, value, expires_at, now) → value. */
export const LEDGER_RAISE = `
  INSERT INTO ledger VALUES (?, CAST(CAST(? AS INTEGER) AS TEXT), ?)
  ON CONFLICT (key) DO UPDATE SET (value, expires_at) = (
    SELECT
      iif(is_over, excluded.value, CAST(max(CAST(ledger.value AS INTEGER), CAST(excluded.value AS INTEGER)) AS TEXT)),
      iif(is_over, excluded.expires_at, max(ledger.expires_at, excluded.expires_at))
    FROM (SELECT ledger.expires_at <= ? AS is_over)
  )
  RETURNING value`

/** (key, now) → value. */
export const LEDGER_GET = 'SELECT value FROM ledger WHERE key = ? AND expires_at > ?'

/** (exclusive start key, exclusive end key, now) → key, value; at most {@link LIST_ROWS} rows. */
export const LEDGER_LIST: string = `
  SELECT key, value FROM ledger WHERE key > ? AND key < ? AND expires_at > ? ORDER BY key LIMIT ${LIST_ROWS}`

/** Returns exclusive bounds for the keys of a family. */
export function rangeOf(family: string): { readonly start: string; readonly end: string } {
  return { start: `${family}:`, end: `${family};` }
}

/** How long a mark is kept after its expiry, for callers whose clocks are slow. */
export const SLACK_SECONDS = 300

/** Maximum number of rows that one sweep deletes, so that other callers do not wait long for it. */
export const SWEEP_ROWS = 1000

/** (instant up to which expired marks are deleted) → one row for each deleted mark. */
export const LEDGER_SWEEP: string = `
  DELETE FROM ledger WHERE key IN (SELECT key FROM ledger WHERE expires_at <= ? LIMIT ${SWEEP_ROWS}) RETURNING key`

/** () → next, null when empty. */
export const LEDGER_NEXT_EXPIRY = 'SELECT min(expires_at) AS next FROM ledger'
