/** The ledger in SQL, for SQLite files and for the SQLite of Durable Objects. Parameters are numbered by position. */

export const LEDGER_SCHEMA = `
  CREATE TABLE IF NOT EXISTS ledger (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ledger_expires_at ON ledger (expires_at);
`

/** Maximum number of rows in one page of a listing. */
export const LIST_ROWS = 1000

/** (key, value, expires_at, now) → one row if the mark was made. */
export const LEDGER_ADD = `
  INSERT INTO ledger VALUES (?1, ?2, ?3)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at WHERE ledger.expires_at <= ?4
  RETURNING key`

/** (key, end of a window opened now, now) → value. */
export const LEDGER_COUNT = `
  INSERT INTO ledger VALUES (?1, '1', ?2)
  ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN ledger.expires_at <= ?3 THEN '1' ELSE CAST(ledger.value + 1 AS TEXT) END,
    expires_at = CASE WHEN ledger.expires_at <= ?3 THEN ?2 ELSE ledger.expires_at END
  RETURNING value`

/** (key, value, expires_at, now) → value. */
export const LEDGER_RAISE = `
  INSERT INTO ledger VALUES (?1, CAST(CAST(?2 AS INTEGER) AS TEXT), ?3)
  ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN ledger.expires_at <= ?4 THEN excluded.value
      ELSE CAST(max(CAST(ledger.value AS INTEGER), CAST(?2 AS INTEGER)) AS TEXT) END,
    expires_at = CASE WHEN ledger.expires_at <= ?4 THEN ?3 ELSE max(ledger.expires_at, ?3) END
  RETURNING value`

/** (key, now) → value. */
export const LEDGER_GET = 'SELECT value FROM ledger WHERE key = ?1 AND expires_at > ?2'

/** (exclusive start key, exclusive end key, now) → key, value; at most {@link LIST_ROWS} rows. */
export const LEDGER_LIST: string = `
  SELECT key, value FROM ledger WHERE key > ?1 AND key < ?2 AND expires_at > ?3 ORDER BY key LIMIT ${LIST_ROWS}`

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
  DELETE FROM ledger WHERE key IN (SELECT key FROM ledger WHERE expires_at <= ?1 LIMIT ${SWEEP_ROWS}) RETURNING key`

/** () → next, null when empty. */
export const LEDGER_NEXT_EXPIRY = 'SELECT min(expires_at) AS next FROM ledger'
