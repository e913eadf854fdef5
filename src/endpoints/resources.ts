/** `/resources`: resource servers, kept by an operator. */

import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { invalidRequest, notFound } from '../errors.ts'
import { changeRecord, reached } from '../records/change.ts'
import { keyOf, parseRecord, toRecord } from '../records/records.ts'
import { DEFAULT, DEFAULT_RESOURCE, RESOURCES, ResourceId, ResourceMembers } from '../resources/registry.ts'
import type { ResourceServer } from '../types.ts'
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
  app.use(limitJson, async (c, next) => {
    await requireOperator(c, parts)
    await next()
  })
  app.get('/', (c) => listAll(c, parts))
  app.get('/:resource', (c) => read(c, parts))
  app.put('/:resource', (c) => replace(c, parts))
  app.delete('/:resource', (c) => remove(c, parts))
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
  const record = await changeRecord(registry, keyOf(RESOURCES, resource.resource), async (held) => {
    await requireMatch(c, held)
    isNew = held === undefined
    return toRecord(resource)
  })
  await setDefault(resource.resource, isDefault, parts)
  emit({ event: 'resource_changed', change: isNew ? 'created' : 'replaced', resource: resource.resource })
  return answer({ ...resource, default: isDefault }, record, isNew ? 201 : 200)
}

async function read(c: Context, parts: ResourcesParts): Promise<Response> {
  const { resource, record } = await findResource(c, parts)
  return answer({ ...resource, default: (await readDefault(parts)) === resource.resource }, record, 200)
}

async function remove(c: Context, parts: ResourcesParts): Promise<Response> {
  const { resource, record } = await findResource(c, parts)
  await requireMatch(c, record)
  await setDefault(resource.resource, false, parts)
  await reached(parts.registry.delete(keyOf(RESOURCES, resource.resource)))
  parts.emit({ event: 'resource_changed', change: 'deleted', resource: resource.resource })
  return new Response(null, { status: 204, headers: { 'Cache-Control': 'no-store' } })
}

async function listAll(c: Context, parts: ResourcesParts): Promise<Response> {
  const { ids, cursor: next_cursor } = await readPage(c, parts.registry, keyOf(RESOURCES, ''))
  const usual = await readDefault(parts)
  const found = await Promise.all(ids.map((id) => readOne(id, parts)))
  const resources = found
    .flatMap((each) => each?.resource ?? [])
    .map((each) => ({ ...each, default: each.resource === usual }))
  return new Response(JSON.stringify({ resources, next_cursor }), { headers: jsonHeaders })
}

async function readOne(
  id: string,
  { registry }: ResourcesParts,
): Promise<{ resource: ResourceServer; record: string } | undefined> {
  const record = v.is(ResourceId, id) ? await reached(registry.get(keyOf(RESOURCES, id))) : undefined
  return record === undefined ? undefined : { resource: parseRecord(record, id, RESOURCES), record }
}

async function findResource(c: Context, parts: ResourcesParts): Promise<{ resource: ResourceServer; record: string }> {
  const found = await readOne(c.req.param('resource') ?? '', parts)
  if (found === undefined) throw notFound('There is no such resource server.')
  return found
}

async function readDefault({ registry }: ResourcesParts): Promise<string | undefined> {
  const record = await reached(registry.get(ROLE_KEY))
  return record === undefined ? undefined : parseRecord(record, DEFAULT, DEFAULT_RESOURCE).resource
}

/** Takes the role, or gives it up if it was this one's. */
async function setDefault(resource: string, isDefault: boolean, parts: ResourcesParts): Promise<void> {
  if (isDefault) await reached(parts.registry.put(ROLE_KEY, toRecord({ resource })))
  else if ((await readDefault(parts)) === resource) await reached(parts.registry.delete(ROLE_KEY))
}
