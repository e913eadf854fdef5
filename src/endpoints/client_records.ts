/** The record of one client at `/register/{client_id}`: access to it, changes to it, and its response. */

import type { Context } from 'hono'
import { attribute } from '../attribution.ts'
import { type Caller, readClient, withoutHash } from '../clients/management.ts'
import type { RegisteredClient } from '../clients/members.ts'
import type { Offer } from '../clients/metadata.ts'
import { clientKey, clientRecord, isClientId } from '../clients/registry.ts'
import type { MadeSecret } from '../clients/secret_list.ts'
import { invalidToken, notFound, type OAuthError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { readBearer } from '../http/bearer.ts'
import { etagOf, requireMatch } from '../http/etag.ts'
import { jsonHeaders, respondWith, securityHeaders } from '../http/respond.ts'
import { changeRecord, readLatest, removeRecord } from '../records/change.ts'
import { isSameToken } from '../secrets/hashes.ts'
import type { Registry } from '../stores/contracts.ts'
import type { Revocations } from '../tokens/revocations.ts'

/** What the registration endpoint depends on. */
export interface RegisterOptions {
  readonly registry: Registry
  readonly offer: Offer
  /** Hash of the operator's token. */
  readonly operatorTokenHash: string
  /** Absent if tokens cannot be denied. */
  readonly revocations?: Revocations | undefined
  readonly emit: Emit
}

/** The options together with what the provider passes to the endpoint. */
export interface RegisterParts extends RegisterOptions {
  /** Returns epoch seconds. */
  now(): number
  /** Returns the URL of `/register` for a request. */
  registrationUrl(url: string): string
}

/** Rejects with OAuthError `invalid_token` unless the request carries the operator's token. */
export async function requireOperator(c: Context, operatorTokenHash: string): Promise<void> {
  if (!(await isSameToken(readBearer(c.req.raw.headers), operatorTokenHash))) throw invalidToken('token_wrong')
}

/** A disabled client may not manage anything, not even itself. */
async function callerOf(c: Context, held: RegisteredClient | undefined, parts: RegisterParts): Promise<Caller> {
  const token = readBearer(c.req.raw.headers)
  if (await isSameToken(token, parts.operatorTokenHash)) return 'operator'
  const isItself = !held?.disabled && (await isSameToken(token, held?.registration_access_token_hash))
  if (!isItself) throw invalidToken('token_wrong')
  return 'client'
}

/** An unreadable record counts as absent: it belongs to no client, but an operator can replace or delete it. */
function readMendable(record: string | undefined, client_id: string): RegisteredClient | undefined {
  try {
    return readClient(record, client_id)
  } catch {
    return undefined
  }
}

/** Attributes what `work` throws to the client, if that is the name of one and not anything else in its place. */
function attributeNamed<T>(client_id: string, work: () => Promise<T>): Promise<T> {
  return isClientId(client_id) ? attribute(client_id, work) : work()
}

/** A client, the text of its record, and the caller. */
export interface Found {
  readonly client: RegisteredClient
  readonly record: string
  readonly caller: Caller
}

/**
 * Returns the client that the URL names.
 *
 * @throws OAuthError `invalid_token`, `temporarily_unavailable`, or `not_found`, which only an operator receives
 */
export function findClient(c: Context, parts: RegisterParts): Promise<Found> {
  const client_id = idOf(c)
  return attributeNamed(client_id, async () => {
    const { record, caller } = await findRecord(c, parts)
    const client = readClient(record, client_id)
    if (client === undefined || record === undefined) throw noClient()
    return { client, record, caller }
  })
}

/** A record, if it exists, and the caller. */
export interface FoundRecord {
  readonly record: string | undefined
  readonly caller: Caller
}

/**
 * Returns the record that the URL names without validating it. Only an operator may request one that does not exist.
 *
 * @throws OAuthError `invalid_token`, `temporarily_unavailable`
 */
export function findRecord(c: Context, parts: RegisterParts): Promise<FoundRecord> {
  const client_id = idOf(c)
  return attributeNamed(client_id, async () => {
    const record = isClientId(client_id) ? await readLatest(parts.registry, clientKey(client_id)) : undefined
    const caller = await callerOf(c, readMendable(record, client_id), parts)
    return { record, caller }
  })
}

/**
 * Changes a record if its version meets the preconditions of the request.
 *
 * @param decide receives the current client, undefined if an operator names one that does not exist; returns the new client, with
 * anything else that the response needs
 * @returns the result of `decide`, the text of the record, and the caller
 * @throws OAuthError `invalid_token`, `precondition_failed`, `conflict`, `temporarily_unavailable`, and what `decide` throws
 */
export function changeClient<T extends Pick<Found, 'client'>>(
  c: Context,
  parts: RegisterParts,
  decide: (held: RegisteredClient | undefined, caller: Caller) => Promise<T>,
): Promise<T & Found> {
  const client_id = idOf(c)
  return attributeNamed(client_id, async () => {
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

/** Deletes a record if it has not changed since it was found, or in any case if the caller has the last word. */
export function removeClient(c: Context, { record, caller }: FoundRecord, { registry }: RegisterParts): Promise<void> {
  const key = clientKey(idOf(c))
  const isOutright = record === undefined || hasLastWord(c, caller)
  return isOutright ? registry.delete(key) : removeRecord(registry, key, record)
}

/**
 * Returns whether the change overrules concurrent changes. A client that changes its record all the time must not keep an operator
 * from changing it, unless the operator names a version.
 */
function hasLastWord(c: Context, caller: Caller): boolean {
  return caller === 'operator' && !['If-Match', 'If-None-Match'].some((name) => c.req.header(name) !== undefined)
}

/** Returns the error for a client that does not exist. */
export function noClient(): OAuthError {
  return notFound('There is no such client.')
}

/** Returns the `client_id` in the path. */
export function idOf(c: Context): string {
  return c.req.param('client_id') ?? ''
}

/** Values that are shown only once, in addition to the record. */
export interface ShownOnce {
  readonly made?: MadeSecret | undefined
  readonly registration_access_token?: string | undefined
}

/**
 * Returns the client information response: the client without hashes, and the values that were just made.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 RFC 7591 §3.2.1}
 */
export function shown(
  client: RegisteredClient,
  registrationUrl: string,
  { made, registration_access_token }: ShownOnce = {},
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

/** Returns a JSON response with the ETag of the record. */
export async function answer(body: object, record: string, status: 200 | 201): Promise<Response> {
  return respondWith(JSON.stringify(body), { ...jsonHeaders, ETag: await etagOf(record) }, status)
}

/** Returns a response without a body. */
export function noContent(): Response {
  return new Response(null, { status: 204, headers: { ...securityHeaders, 'Cache-Control': 'no-store' } })
}
