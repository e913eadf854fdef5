/** `/resources`: resource servers, kept by an operator. */

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import * as v from 'valibot'
import { invalidRequest, notFound } from '../errors.ts'
import { changeRecord, reached, readLatest, removeRecord } from '../records/change.ts'
import { keyOf, parseRecord, toRecord } from '../records/records.ts'
import { DEFAULT, DEFAULT_RESOURCE, RESOURCES, ResourceId, ResourceMembers } from '../resources/registry.ts'
import { answer, type RegisterParts, requireOperator } from './client_records.ts'
import { requireMatch } from './etag.ts'
import { limitJson, readJson } from './json_request.ts'
import { readPage } from './page.ts'
import { jsonHeaders } from './respond.ts'

export interface ResourcesParts extends RegisterParts {
  /** Algorithms that tokens can be signed with. */
  readonly signingAlgs: readonly string[]
}

const ROLE_KEY = keyOf(DEFAULT_RESOURCE, DEFAULT)

/** Gives the endpoint as an app, to be mounted at `/resources`. The identifier is percent-encoded in the path. */
export function resources(parts: ResourcesParts): Hono {
  const app = new Hono()
  const operator: MiddlewareHandler = async (c, next) => {
    await requireOperator(c, parts)
    await next()
  }
  app.get('/', operator, (c) => listAll(c, parts))
  app.get('/:resource', operator, (c) => read(c, parts))
  app.put('/:resource', operator, limitJson, (c) => replace(c, parts))
  app.delete('/:resource', operator, (c) => remove(c, parts))
  return app
}

async function replace(c: Context, parts: ResourcesParts): Promise<Response> {
  const { registry, emit } = parts
  const read = v.safeParse(
    ResourceMembers,
    { ...(await readJson(c)), resource: c.req.param('resource') },
    { abortEarly: true },
  )
  if (!read.success) {
    const [issue] = read.issues
    throw invalidRequest('resource_record_malformed', `${v.getDotPath(issue) ?? 'The body'}: ${issue.message}.`)
  }
  const { default: isDefault = false, ...resource } = read.output
  if (resource.signing_alg !== undefined && !parts.signingAlgs.includes(resource.signing_alg)) {
    const text = `signing_alg: must be one of: ${parts.signingAlgs.join(', ')}.`
    throw invalidRequest('resource_record_malformed', text)
  }
  let isNew = false
  await requireMatch(c, await readLatest(registry, keyOf(RESOURCES, resource.resource)))
  await setDefault(resource.resource, isDefault, parts)
  const record = await changeRecord(registry, keyOf(RESOURCES, resource.resource), async (held) => {
    await requireMatch(c, held)
    isNew = held === undefined
    return toRecord(resource)
  })
  emit({ event: 'resource_changed', change: isNew ? 'created' : 'replaced', resource: resource.resource })
  return answer({ ...resource, default: isDefault }, record, isNew ? 201 : 200)
}

async function read(c: Context, parts: ResourcesParts): Promise<Response> {
  const { resource, record } = await findRecord(c, parts)
  const found = parseRecord(record, resource, RESOURCES)
  return answer({ ...found, default: (await readDefault(parts)) === resource }, record, 200)
}

async function remove(c: Context, parts: ResourcesParts): Promise<Response> {
  const { resource, record } = await findRecord(c, parts)
  await requireMatch(c, record)
  await setDefault(resource, false, parts)
  await removeRecord(parts.registry, keyOf(RESOURCES, resource), record)
  parts.emit({ event: 'resource_changed', change: 'deleted', resource })
  return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store' } })
}

/** A record that cannot be read is named and not shown. */
async function listAll(c: Context, parts: ResourcesParts): Promise<Response> {
  const { ids, cursor: next_cursor } = await readPage(c, parts.registry, keyOf(RESOURCES, ''))
  const usual = await readDefault(parts)
  const resources = await Promise.all(
    ids.map(async (resource) => {
      const record = await reached(parts.registry.get(keyOf(RESOURCES, resource)))
      return record === undefined ? [] : [{ ...readOr(record, resource), default: resource === usual }]
    }),
  )
  return new Response(JSON.stringify({ resources: resources.flat(), next_cursor }), { headers: jsonHeaders })
}

function readOr(record: string, resource: string): object {
  try {
    return parseRecord(record, resource, RESOURCES)
  } catch {
    return { resource, malformed: true }
  }
}

async function findRecord(c: Context, { registry }: ResourcesParts): Promise<{ resource: string; record: string }> {
  const resource = c.req.param('resource') ?? ''
  const record = v.is(ResourceId, resource) ? await readLatest(registry, keyOf(RESOURCES, resource)) : undefined
  if (record === undefined) throw notFound('There is no such resource server.')
  return { resource, record }
}

/** A role that cannot be read is nobody's. */
async function readDefault({ registry }: ResourcesParts): Promise<string | undefined> {
  const record = await readLatest(registry, ROLE_KEY)
  try {
    return record === undefined ? undefined : parseRecord(record, DEFAULT, DEFAULT_RESOURCE).resource
  } catch {
    return undefined
  }
}

/** Takes the role, or gives it up if it was this one's. */
async function setDefault(resource: string, isDefault: boolean, parts: ResourcesParts): Promise<void> {
  if (isDefault) await reached(parts.registry.put(ROLE_KEY, toRecord({ resource })))
  else if ((await readDefault(parts)) === resource) await removeRecord(parts.registry, ROLE_KEY, toRecord({ resource }))
}
