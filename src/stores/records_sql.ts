/** The records in SQL, for the SQLite of Durable Objects. Parameters are numbered by position. */

/** `value` is NULL for a deleted record. `kv_version` is the version that KV has, 0 if none. */
export const RECORDS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, value TEXT, version INTEGER NOT NULL, kv_version INTEGER NOT NULL, written_at INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS records_pending ON records (written_at) WHERE kv_version < version;
  CREATE INDEX IF NOT EXISTS records_deleted ON records (written_at) WHERE value IS NULL;
`

/** (key) → value. */
export const RECORD_READ = 'SELECT value FROM records WHERE key = ?1'

/** (key, value, now) */
export const RECORD_WRITE = `
  INSERT INTO records VALUES (?1, ?2, 1, 0, ?3)
  ON CONFLICT (key) DO UPDATE SET
    value = excluded.value, version = records.version + 1, written_at = excluded.written_at`

/** (key) → value, version; no row if KV has the latest version. */
export const RECORD_PENDING = 'SELECT value, version FROM records WHERE key = ?1 AND kv_version < version'

/** (key, version that KV has) */
export const RECORD_IN_KV = 'UPDATE records SET kv_version = ?2 WHERE key = ?1'

/** Maximum number of records that one alarm writes to KV. A Worker may make 1000 such operations. */
const ALARM_ROWS = 100

/** () → key of each record whose latest version KV lacks, the oldest first. */
export const RECORDS_PENDING: string = `
  SELECT key FROM records WHERE kv_version < version ORDER BY written_at LIMIT ${ALARM_ROWS}`

/** (instant up to which deleted records are forgotten) */
export const RECORDS_SWEEP = 'DELETE FROM records WHERE value IS NULL AND kv_version = version AND written_at <= ?1'

/** () → when the oldest record that KV lacks, and the oldest deleted record, were written; null if none. */
export const RECORDS_WAITING = `
  SELECT (SELECT min(written_at) FROM records WHERE kv_version < version) AS pending_since,
         (SELECT min(written_at) FROM records WHERE value IS NULL) AS deleted_at`
