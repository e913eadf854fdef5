/** The records of clients in a registry. */

import * as v from 'valibot'
import { type FindRecord, keyOf, type RecordKind, toRecord } from '../records/records.ts'
import type { Client } from '../types.ts'
import { ClientId, type RegisteredClient } from './members.ts'
import { ClientRecord } from './record.ts'

/**
 * Returns a client, or undefined when it does not exist. Rejects when the registry fails or the record is malformed. A client that
 * has changed is a new object with new lists: the server keeps what it derived from an object for as long as that lives.
 */
export type FindClient = FindRecord<Client>

/** The records of clients, by `client_id`. */
export const CLIENTS: RecordKind<RegisteredClient> = {
  prefix: 'client',
  schema: ClientRecord,
  idOf: ({ client_id }) => client_id,
}

/** Returns the key of a client's record. */
export function clientKey(client_id: string): string {
  return keyOf(CLIENTS, client_id)
}

/** Returns the text of a client's record as it is stored. */
export function clientRecord(client: RegisteredClient): string {
  return toRecord(client)
}

/** Returns whether a string is a well-formed client_id. No other string is looked up. */
export function isClientId(text: string): boolean {
  return v.is(ClientId, text)
}

/**
 * Returns whether a client may be created with the client_id. URL parsers drop the segments `.` and `..` from the URL of its record,
 * percent-encoded or not, and Deno is a server that does not.
 */
export function isNewClientId(text: string): boolean {
  return isClientId(text) && text !== '.' && text !== '..'
}
