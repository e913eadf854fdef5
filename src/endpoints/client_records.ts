/** The record of one client under `/register`: who may touch it, how it is changed, and what is shown of it. */

import type { Context } from 'hono'
import { type Caller, readClient, withoutHash } from '../clients/management.ts'
import type { RegisteredClient } from '../clients/members.ts'
import type { Offer } from '../clients/metadata.ts'
import { clientKey, clientRecord, isClientId } from '../clients/registry.ts'
import type { MadeSecret } from '../clients/secret_list.ts'
import { attribute, invalidToken, notFound, type OAuthError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { readBearer } from '../http/bearer.ts'
import { etagOf, requireMatch } from '../http/etag.ts'
import { jsonHeaders } from '../http/respond.ts'
import { changeRecord, reached, readLatest, removeRecord } from '../records/change.ts'
import { isSameToken } from '../secrets/hashes.ts'
import type { Registry } from '../stores/contracts.ts'
import type { Revocations } from '../tokens/revocations.ts'

export interface RegisterOptions {
  readonly registry: Registry
  readonly offer: Offer
  /** Hash of the operator's token. */
  readonly operatorTokenHash: string
  /** Absent where tokens cannot be denied. */
  readonly revocations?: Revocations | undefined
  readonly emit: Emit
}

/** What the endpoint works with at its place. */
export interface RegisterParts extends RegisterOptions {
  now(): number
  /** Returns the URL of `/register` for a request. */
  registrationUrl(url: string): string
}

/** @throws OAuthError `invalid_token` */
export async function requireOperator(c: Context, operatorTokenHash: string): Promise<void> {
  if (!(await isSameToken(readBearer(c.req.raw.headers), operatorTokenHash))) throw invalidToken('token_wrong')
}

/** A client that was disabled manages nothing any more, not even itself. */
async function callerOf(c: Context, held: RegisteredClient | undefined, parts: RegisterParts): Promise<Caller> {
  const token = readBearer(c.req.raw.headers)
  if (await isSameToken(token, parts.operatorTokenHash)) return 'operator'
  const isItself = !held?.disabled && (await isSameToken(token, held?.registration_access_token_hash))
  if (!isItself) throw invalidToken('token_wrong')
  return 'client'
}

/** A record that cannot be read is nobody's, but an operator can put another in its place or delete it. */
function readMendable(record: string | undefined, client_id: string): RegisteredClient | undefined {
  try {
    return readClient(record, client_id)
  } catch {
    return undefined
  }
}

/** What is read of a record. */
export interface Found {
  readonly client: RegisteredClient
  readonly record: string
  readonly caller: Caller
}

/** @throws OAuthError `invalid_token`, `not_found` to an operator, `temporarily_unavailable` */
export function findClient(c: Context, parts: RegisterParts): Promise<Found> {
  const client_id = idOf(c)
  return attribute(client_id, async () => {
    const { record, caller } = await findRecord(c, parts)
    const client = readClient(record, client_id)
    if (client === undefined || record === undefined) throw noClient()
    return { client, record, caller }
  })
}

/** A record that is there or not, and who asks for it. */
export interface FoundRecord {
  readonly record: string | undefined
  readonly caller: Caller
}

/** Finds a record without reading what is in it; only an operator may ask for one that is not there. */
export function findRecord(c: Context, parts: RegisterParts): Promise<FoundRecord> {
  const client_id = idOf(c)
  return attribute(client_id, async () => {
    const record = isClientId(client_id) ? await readLatest(parts.registry, clientKey(client_id)) : undefined
    const caller = await callerOf(c, readMendable(record, client_id), parts)
    return { record, caller }
  })
}

/**
 * Changes a record, provided that its version meets the preconditions of the request.
 *
 * @param decide receives the client as it is, or undefined from an operator who names one that does not exist; returns the client
 * as it shall be, with anything else that the response needs
 * @returns what `decide` returned, the text of the record, and who changed it
 */
export function changeClient<T extends Pick<Found, 'client'>>(
  c: Context,
  parts: RegisterParts,
  decide: (held: RegisteredClient | undefined, caller: Caller) => Promise<T>,
): Promise<T & Found> {
  const client_id = idOf(c)
  return attribute(client_id, async () => {
    if (!isClientId(client_id)) throw noClient()
    const { text: record, result } = await changeRecord(
      parts.registry,
      clientKey(client_id),
      async (stored) => {
        const held = c.req.method === 'PUT' ? readMendable(stored, client_id) : readClient(stored, client_id)
        const caller = await callerOf(c, held, parts)
        await requireMatch(c, stored)
        const decided = await decide(held, caller)
        return { text: clientRecord(decided.client), result: { ...decided, caller } }
      },
      ({ caller }) => hasLastWord(c, caller),
    )
    return { ...result, record }
  })
}

/** Deletes a record as it was found. */
export function removeClient(c: Context, { record, caller }: FoundRecord, { registry }: RegisterParts): Promise<void> {
  const key = clientKey(idOf(c))
  const isOutright = record === undefined || hasLastWord(c, caller)
  return isOutright ? reached(registry.delete(key)) : removeRecord(registry, key, record)
}

/** A client that changes its record all the time must not keep an operator from changing it, unless the operator names a version. */
function hasLastWord(c: Context, caller: Caller): boolean {
  return caller === 'operator' && !['If-Match', 'If-None-Match'].some((name) => c.req.header(name) !== undefined)
}

export function noClient(): OAuthError {
  return notFound('There is no such client.')
}

export function idOf(c: Context): string {
  return c.req.param('client_id') ?? ''
}

/** What is told once, beside the record. */
export interface Told {
  readonly made?: MadeSecret | undefined
  readonly registration_access_token?: string | undefined
}

/** The record as it is shown: no hash, and what was just made. RFC 7591 §3.2.1. */
export function shown(
  client: RegisteredClient,
  registrationUrl: string,
  { made, registration_access_token }: Told = {},
): Readonly<Record<string, unknown>> {
  const { registration_access_token_hash: _hash, secret_limit_at: _limit, client_secrets = [], ...metadata } = client
  return {
    ...metadata,
    ...(made && { client_secret: made.client_secret, client_secret_expires_at: made.secret.expires_at ?? 0 }),
    client_secrets: client_secrets.map(withoutHash),
    registration_client_uri: `${registrationUrl}/${encodeURIComponent(client.client_id)}`,
    ...(registration_access_token && { registration_access_token }),
  }
}

export async function answer(body: object, record: string, status: 200 | 201): Promise<Response> {
  const headers = { ...jsonHeaders, ETag: await etagOf(record) }
  return new Response(JSON.stringify(body), { status, headers })
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store' } })
}
