/** `/resources`: the resource servers, which an operator manages. */

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
import { readInput } from '../lib/read_input.ts'
import { changeRecord, readLatest, removeRecord } from '../records/change.ts'
import { keyOf, parseRecord, toRecord } from '../records/records.ts'
import { DEFAULT, DEFAULT_RESOURCE, RESOURCES, ResourceId, ResourceMembers } from '../resources/registry.ts'
import type { Registry } from '../stores/contracts.ts'
import { answer, noContent, requireOperator } from './client_records.ts'
import type { App, Endpoint } from './endpoint.ts'
import { type NamedSchema, type Operations, objectSchema, PAGE } from './operation.ts'

/** What the endpoint depends on. */
export interface ResourcesOptions {
  readonly registry: Registry
  /** Hash of the operator's token. */
  readonly operatorTokenHash: string
  /** Algorithms that tokens can be signed with. */
  readonly signingAlgs: readonly string[]
  readonly emit: Emit
}

const ROLE_KEY = keyOf(DEFAULT_RESOURCE, DEFAULT)

const RESOURCE: NamedSchema = { name: 'Resource', schema: ResourceMembers }

const RESOURCE_PAGE: NamedSchema = {
  name: 'ResourcePage',
  schema: objectSchema(['resources'], {
    resources: { type: 'array', items: { $ref: '#/components/schemas/Resource' } },
    next_cursor: { type: 'string' },
  }),
}

const tag = 'Resource servers'
const security = 'operator'
const example = { resource: 'https://api.example', scope: 'read write', default: false }

const OPERATIONS: Operations = {
  '/resources': {
    get: {
      operationId: 'listResources',
      tag,
      summary: 'Lists resource servers',
      query: PAGE,
      answers: { 200: { schema: RESOURCE_PAGE } },
      errors: [400, 401, 503],
      security,
      example: { resources: [example] },
    },
  },
  '/resources/{resource}': {
    get: {
      operationId: 'readResource',
      tag,
      summary: 'Reads a resource server',
      answers: { 200: { schema: RESOURCE } },
      errors: [401, 404, 503],
      security,
      example,
    },
    put: {
      operationId: 'replaceResource',
      tag,
      summary: 'Registers or replaces a resource server',
      json: RESOURCE,
      answers: { 200: { schema: RESOURCE }, 201: { schema: RESOURCE } },
      errors: [400, 401, 409, 412, 413, 415, 503],
      security,
      example: { scope: 'read write' },
    },
    delete: {
      operationId: 'deleteResource',
      tag,
      summary: 'Deletes a resource server',
      answers: { 204: null },
      errors: [401, 404, 412, 503],
      security,
      example: undefined,
    },
  },
}

/** Returns the endpoint for resource servers. Their identifiers are percent-encoded in the path. */
export function resourcesEndpoint(options: ResourcesOptions): Endpoint {
  return { path: '/resources', operations: OPERATIONS, routes: () => routes(options) }
}

function routes(options: ResourcesOptions): App {
  const app = new Hono<{ Bindings: Connection }>()
  const operator: MiddlewareHandler = async (c, next) => {
    await requireOperator(c, options.operatorTokenHash)
    await next()
  }
  app.get('/', operator, (c) => listAll(c, options))
  app.get('/:resource', operator, (c) => read(c, options))
  app.put('/:resource', operator, limitJson, (c) => replace(c, options))
  app.delete('/:resource', operator, (c) => remove(c, options))
  return app
}

async function replace(c: Context, options: ResourcesOptions): Promise<Response> {
  const { registry, emit } = options
  const refuse = (problem: string): OAuthError => invalidRequest('resource_record_malformed', problem)
  const body = { ...(await readJson(c)), resource: c.req.param('resource') }
  const { default: isDefault = false, ...resource } = readInput(ResourceMembers, body, refuse)
  if (resource.signing_alg !== undefined && !options.signingAlgs.includes(resource.signing_alg)) {
    throw refuse(`signing_alg: must be one of: ${options.signingAlgs.join(', ')}.`)
  }
  const key = keyOf(RESOURCES, resource.resource)
  await requireMatch(c, await readLatest(registry, key))
  await setDefault(resource.resource, isDefault, options)
  const { text: record, result: isNew } = await changeRecord(registry, key, async (held) => {
    await requireMatch(c, held)
    return { text: toRecord(resource), result: held === undefined }
  })
  emitFrom(c, emit, { event: 'resource_changed', change: isNew ? 'created' : 'replaced', resource: resource.resource })
  return answer({ ...resource, default: isDefault }, record, isNew ? 201 : 200)
}

async function read(c: Context, options: ResourcesOptions): Promise<Response> {
  const { resource, record } = await findRecord(c, options)
  const found = parseRecord(record, resource, RESOURCES)
  return answer({ ...found, default: (await readDefault(options)) === resource }, record, 200)
}

async function remove(c: Context, options: ResourcesOptions): Promise<Response> {
  const { resource, record } = await findRecord(c, options)
  await requireMatch(c, record)
  await setDefault(resource, false, options)
  await removeRecord(options.registry, keyOf(RESOURCES, resource), record)
  emitFrom(c, options.emit, { event: 'resource_changed', change: 'deleted', resource })
  return noContent()
}

/** Of an unreadable record, only the identifier is listed. */
async function listAll(c: Context, options: ResourcesOptions): Promise<Response> {
  const { ids, cursor: next_cursor } = await readPage(c, options.registry, keyOf(RESOURCES, ''))
  const usual = await readDefault(options)
  const resources = await Promise.all(
    ids.map(async (resource) => {
      const record = await options.registry.get(keyOf(RESOURCES, resource))
      return record === undefined ? [] : [{ ...readOr(record, resource), default: resource === usual }]
    }),
  )
  return respondWith(JSON.stringify({ resources: resources.flat(), next_cursor }))
}

function readOr(record: string, resource: string): object {
  try {
    return parseRecord(record, resource, RESOURCES)
  } catch {
    return { resource, malformed: true }
  }
}

async function findRecord(c: Context, { registry }: ResourcesOptions): Promise<{ resource: string; record: string }> {
  const resource = c.req.param('resource') ?? ''
  const record = v.is(ResourceId, resource) ? await readLatest(registry, keyOf(RESOURCES, resource)) : undefined
  if (record === undefined) throw notFound('There is no such resource server.')
  return { resource, record }
}

/** Returns the default resource server. An unreadable record counts as: no default. */
async function readDefault({ registry }: ResourcesOptions): Promise<string | undefined> {
  const record = await readLatest(registry, ROLE_KEY)
  try {
    return record === undefined ? undefined : parseRecord(record, DEFAULT, DEFAULT_RESOURCE).resource
  } catch {
    return undefined
  }
}

/** Makes a resource server the default. With `isDefault` false, removes the default if it is this resource server. */
async function setDefault(resource: string, isDefault: boolean, options: ResourcesOptions): Promise<void> {
  if (isDefault) await options.registry.put(ROLE_KEY, toRecord({ resource }))
  else if ((await readDefault(options)) === resource)
    await removeRecord(options.registry, ROLE_KEY, toRecord({ resource }))
}
