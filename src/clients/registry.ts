/** Clients in a registry: their keys, and records checked on the way out. */

import * as v from 'valibot'
import { temporarilyUnavailable } from '../errors.ts'
import type { Client, Registry } from '../types.ts'
import { CLIENT_SCHEMA, ClientId, ClientRecord } from './metadata.ts'

/** Gives undefined when there is no such client. Rejects when that cannot be told. */
export type FindClient = (client_id: string) => Promise<Client | undefined>

/** Key of a client's record. */
export function clientKey(client_id: string): string {
  return `client:${client_id}`
}

/** A client's record as stored. */
export function clientRecord(client: Client): string {
  return JSON.stringify({ schema: CLIENT_SCHEMA, ...client })
}

/** Whether a text can be a client_id at all; what cannot is not looked up. */
export function isClientId(text: string): boolean {
  return v.is(ClientId, text)
}

/**
 * Reads clients from the registry, each time anew.
 *
 * @throws OAuthError `temporarily_unavailable` when the store fails or the record is no client
 */
export function readClients(registry: Registry): FindClient {
  return async (client_id) => {
    const text = await registry.get(clientKey(client_id)).catch((cause: unknown) => {
      throw temporarilyUnavailable('store_failed', 'The client registry cannot be reached.', cause)
    })
    return text === undefined ? undefined : parseClient(text, client_id)
  }
}

function parseClient(text: string, client_id: string): Client {
  try {
    const { schema: _schema, ...client } = v.parse(ClientRecord, JSON.parse(text))
    if (client.client_id !== client_id) throw new TypeError('client_id differs from the key')
    return client
  } catch (cause) {
    throw temporarilyUnavailable(
      'client_record_malformed',
      'The record of this client cannot be read.',
      describe(cause),
    )
  }
}

/** What is wrong with a record, without its values: they may hold hashes. */
function describe(cause: unknown): string {
  if (!(cause instanceof v.ValiError)) return 'not a client record'
  return `members at fault: ${cause.issues.map((issue) => v.getDotPath(issue) ?? 'the whole').join(', ')}`
}
