/** Clients in a registry. */

import * as v from 'valibot'
import { type FindRecord, keyOf, type RecordKind, toRecord } from '../records/records.ts'
import type { Client } from '../types.ts'
import { ClientId, type RegisteredClient } from './members.ts'
import { ClientRecord } from './record.ts'

/** Gives undefined when there is no such client. Rejects when that cannot be told. */
export type FindClient = FindRecord<Client>

export const CLIENTS: RecordKind<RegisteredClient> = {
  prefix: 'client',
  schema: ClientRecord,
  idOf: ({ client_id }) => client_id,
}

/** Key of a client's record. */
export function clientKey(client_id: string): string {
  return keyOf(CLIENTS, client_id)
}

/** A client's record as stored. */
export function clientRecord(client: RegisteredClient): string {
  return toRecord(client)
}

/** Whether a text can be a client_id at all; what cannot is not looked up. */
export function isClientId(text: string): boolean {
  return v.is(ClientId, text)
}
