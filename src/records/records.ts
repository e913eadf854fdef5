/** Records in a registry: JSON with a version, validated when it is read. */

import * as v from 'valibot'
import { temporarilyUnavailable } from '../errors.ts'
import type { Registry } from '../stores/contracts.ts'

/**
 * Returns a record, or undefined when there is none. Rejects when the registry fails.
 *
 * `refresh` asks for the latest version, past caches and past a registry whose reads may be late.
 */
export type FindRecord<T> = (id: string, options?: { readonly refresh: boolean }) => Promise<T | undefined>

/** A kind of record. */
export interface RecordKind<T> {
  /** Start of its keys, which a colon and the id follow. */
  readonly prefix: string
  /** Schema of the stored members except `schema`. Unknown members are ignored. */
  readonly schema: v.GenericSchema<unknown, T>
  /** Returns the id that the record itself holds. It must be the id of the key. */
  idOf(record: T): string
}

/** Version of all kinds of record. A record of another version is refused. */
const VERSION = 1

const Versioned = v.looseObject({ schema: v.literal(VERSION) })

/** Returns the key of a record in the registry. */
export function keyOf({ prefix }: Pick<RecordKind<never>, 'prefix'>, id: string): string {
  return `${prefix}:${id}`
}

/** Returns the text of a record as it is stored. */
export function toRecord(members: object): string {
  return JSON.stringify({ schema: VERSION, ...members })
}

/**
 * Returns a finder that reads records of a kind from the registry at each call.
 *
 * @throws OAuthError `temporarily_unavailable` when the store fails or a record is not of its kind
 */
export function readRecords<T>(registry: Registry, kind: RecordKind<T>): FindRecord<T> {
  return async (id, { refresh } = { refresh: false }) => {
    const text = await registry.get(keyOf(kind, id), { latest: refresh })
    return text === undefined ? undefined : parseRecord(text, id, kind)
  }
}

/**
 * Returns the record that a stored text holds.
 *
 * @throws OAuthError `temporarily_unavailable` when the text is not a record of this kind and id
 */
export function parseRecord<T>(text: string, id: string, { schema, idOf }: RecordKind<T>): T {
  try {
    const { schema: _version, ...members } = v.parse(Versioned, JSON.parse(text))
    const record = v.parse(schema, members)
    if (idOf(record) !== id) throw new TypeError('the record and its key name different ids')
    return record
  } catch (cause) {
    throw temporarilyUnavailable('record_malformed', 'A record in the registry cannot be read.', describe(cause))
  }
}

/** Names the invalid members without their values, which may be hashes. */
function describe(cause: unknown): string {
  if (!(cause instanceof v.ValiError)) return 'not a record of its kind'
  return `invalid members: ${cause.issues.map((issue) => v.getDotPath(issue) ?? 'the whole record').join(', ')}`
}
