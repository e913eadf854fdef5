/** Records in a registry: JSON with a version, checked on the way out. */

import * as v from 'valibot'
import { temporarilyUnavailable } from '../errors.ts'
import type { Registry } from '../stores/contracts.ts'

/**
 * Gives undefined when there is no such record. Rejects when that cannot be told.
 *
 * `refresh` asks for the latest, where records are kept for a while or the registry may be late.
 */
export type FindRecord<T> = (id: string, options?: { readonly refresh: boolean }) => Promise<T | undefined>

/** One kind of record. */
export interface RecordKind<T> {
  /** What its keys begin with; a colon and the id follow. */
  readonly prefix: string
  /** Of what is stored, beside `schema`; members that this version does not know are passed over. */
  readonly schema: v.GenericSchema<unknown, T>
  /** Gives the id that a record names itself; it must be that of the key. */
  idOf(record: T): string
}

/** Version of all kinds of record; a record of another is not read. */
const VERSION = 1

const Versioned = v.looseObject({ schema: v.literal(VERSION) })

export function keyOf({ prefix }: Pick<RecordKind<never>, 'prefix'>, id: string): string {
  return `${prefix}:${id}`
}

/** A record as stored. */
export function toRecord(members: object): string {
  return JSON.stringify({ schema: VERSION, ...members })
}

/**
 * Reads records of a kind from the registry, each time anew.
 *
 * @throws OAuthError `temporarily_unavailable` when the store fails or a record is not of its kind
 */
export function readRecords<T>(registry: Registry, kind: RecordKind<T>): FindRecord<T> {
  return async (id, { refresh } = { refresh: false }) => {
    const text = await registry.get(keyOf(kind, id), { latest: refresh }).catch((cause: unknown) => {
      throw temporarilyUnavailable('store_failed', 'The registry cannot be reached.', cause)
    })
    return text === undefined ? undefined : parseRecord(text, id, kind)
  }
}

/** @throws OAuthError `temporarily_unavailable` when the text is no such record */
export function parseRecord<T>(text: string, id: string, { schema, idOf }: RecordKind<T>): T {
  try {
    const { schema: _version, ...members } = v.parse(Versioned, JSON.parse(text))
    const record = v.parse(schema, members)
    if (idOf(record) !== id) throw new TypeError('the record names another id than the key')
    return record
  } catch (cause) {
    throw temporarilyUnavailable('record_malformed', 'A record in the registry cannot be read.', describe(cause))
  }
}

/** What is wrong with a record, without its values: they may hold hashes. */
function describe(cause: unknown): string {
  if (!(cause instanceof v.ValiError)) return 'not a record of its kind'
  return `members at fault: ${cause.issues.map((issue) => v.getDotPath(issue) ?? 'the whole').join(', ')}`
}
