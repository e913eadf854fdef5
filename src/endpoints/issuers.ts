/** `/issuers`: the trusted issuers of foreign tokens, which an operator manages. */

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import * as v from 'valibot'
import type { Connection } from '../certificates/client_cert.ts'
import { invalidRequest, notFound, type OAuthError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { emitFrom } from '../http/caller.ts'
import { requireMatch } from '../http/etag.ts'
import { limitJson, readJson } from '../http/json.ts'
import { readPage } from '../http/page.ts'
import { respondWith } from '../http/respond.ts'
import { problemOfIssuer } from '../issuers/issuer_checks.ts'
import type { IssuerKeys } from '../issuers/keys.ts'
import { fillIssuer } from '../issuers/presets.ts'
import { ISSUERS, IssuerId, IssuerMembers } from '../issuers/registry.ts'
import { causeText } from '../lib/cause.ts'
import { readInput } from '../lib/read_input.ts'
import { changeRecord, readLatest, removeRecord } from '../records/change.ts'
import { keyOf, parseRecord, toRecord } from '../records/records.ts'
import type { Registry } from '../stores/contracts.ts'
import type { TrustedIssuer } from '../types.ts'
import { answer, noContent, requireOperator } from './client_records.ts'
import type { App, Endpoint, Site } from './endpoint.ts'
import { ISSUER_OPERATIONS } from './issuer_operations.ts'

/** The caches of their keys are made for as many. */
const MAX_ISSUERS = 1000

/** What the endpoint depends on. */
export interface IssuersOptions {
  readonly registry: Registry
  /** Hash of the operator's token. */
  readonly operatorTokenHash: string
  /** Fetches the keys of an issuer that is saved. Without it, they are fetched when they are first needed. */
  readonly keys?: Pick<IssuerKeys, 'load'> | undefined
  readonly emit: Emit
}

/** Returns the endpoint for trusted issuers. Their identifiers are percent-encoded in the path. */
export function issuersEndpoint(options: IssuersOptions): Endpoint {
  return { path: '/issuers', operations: ISSUER_OPERATIONS, routes: (site) => routes(options, site) }
}

function routes(options: IssuersOptions, site: Site): App {
  const app = new Hono<{ Bindings: Connection }>()
  const operator: MiddlewareHandler = async (c, next) => {
    await requireOperator(c, options.operatorTokenHash)
    await next()
  }
  app.get('/', operator, (c) => listAll(c, options))
  app.get('/:issuer', operator, (c) => read(c, options))
  app.put('/:issuer', operator, limitJson, (c) => replace(c, options, site.issuerOf(c.req.url)))
  app.delete('/:issuer', operator, (c) => remove(c, options))
  return app
}

const refuse = (problem: string): OAuthError => invalidRequest('issuer_record_malformed', problem)

async function replace(c: Context, options: IssuersOptions, ownIssuer: string): Promise<Response> {
  const { registry, emit } = options
  const id = c.req.param('issuer')
  const body = await readJson(c)
  if (body['issuer'] !== undefined && body['issuer'] !== id) throw refuse('issuer: must be the one in the URL.')
  const issuer = fillIssuer(readInput(IssuerMembers, { ...body, issuer: id }, refuse))
  const problem = await problemOfIssuer(issuer, ownIssuer)
  if (problem !== undefined) throw refuse(`${problem}.`)
  const key = keyOf(ISSUERS, issuer.issuer)
  await requireMatch(c, await readLatest(registry, key))
  await requireKeys(issuer, options)
  const { text: record, result: isNew } = await changeRecord(registry, key, async (held) => {
    await requireMatch(c, held)
    if (held === undefined) await requireRoom(registry)
    return { text: toRecord(issuer), result: held === undefined }
  })
  emitFrom(c, emit, { event: 'issuer_changed', change: isNew ? 'created' : 'replaced', issuer: issuer.issuer })
  return answer(issuer, record, isNew ? 201 : 200)
}

async function requireRoom(registry: Registry): Promise<void> {
  const { keys } = await registry.list(keyOf(ISSUERS, ''), { limit: MAX_ISSUERS })
  if (keys.length === MAX_ISSUERS) throw refuse(`issuer: there are already ${MAX_ISSUERS} trusted issuers.`)
}

/** A mistake in the record shows now, and not when the first client fails. */
async function requireKeys(issuer: TrustedIssuer, { keys }: IssuersOptions): Promise<void> {
  if (issuer.disabled) return
  try {
    await keys?.load(issuer)
  } catch (cause) {
    throw refuse(`The keys of the issuer cannot be fetched: ${causeText(cause)}.`)
  }
}

async function read(c: Context, options: IssuersOptions): Promise<Response> {
  const { issuer, record } = await findRecord(c, options)
  return answer(parseRecord(record, issuer, ISSUERS), record, 200)
}

/** Federated credentials that name the issuer stay, and match nothing. */
async function remove(c: Context, options: IssuersOptions): Promise<Response> {
  const { issuer, record } = await findRecord(c, options)
  await requireMatch(c, record)
  await removeRecord(options.registry, keyOf(ISSUERS, issuer), record)
  emitFrom(c, options.emit, { event: 'issuer_changed', change: 'deleted', issuer })
  return noContent()
}

/** Of an unreadable record, only the identifier is listed. */
async function listAll(c: Context, { registry }: IssuersOptions): Promise<Response> {
  const { ids, cursor: next_cursor } = await readPage(c, registry, keyOf(ISSUERS, ''))
  const issuers = await Promise.all(
    ids.map(async (issuer) => {
      const record = await registry.get(keyOf(ISSUERS, issuer))
      return record === undefined ? [] : [readOr(record, issuer)]
    }),
  )
  return respondWith(JSON.stringify({ issuers: issuers.flat(), next_cursor }))
}

function readOr(record: string, issuer: string): object {
  try {
    return parseRecord(record, issuer, ISSUERS)
  } catch {
    return { issuer, malformed: true }
  }
}

async function findRecord(c: Context, { registry }: IssuersOptions): Promise<{ issuer: string; record: string }> {
  const issuer = c.req.param('issuer') ?? ''
  const record = v.is(IssuerId, issuer) ? await readLatest(registry, keyOf(ISSUERS, issuer)) : undefined
  if (record === undefined) throw notFound('There is no such trusted issuer.')
  return { issuer, record }
}
