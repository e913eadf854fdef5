/** `/keys`: the signing keys, which an operator sees, rotates and revokes. */

import { type Context, Hono, type MiddlewareHandler } from 'hono'
import * as v from 'valibot'
import type { Connection } from '../certificates/client_cert.ts'
import { invalidRequest, notFound } from '../errors.ts'
import { limitJson, readJson } from '../http/json.ts'
import { jsonHeaders, respondWith } from '../http/respond.ts'
import type { ManagedKeyring } from '../keys/stored_keyring.ts'
import { readInput } from '../lib/read_input.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { noContent, requireOperator } from './client_records.ts'
import type { App, Endpoint, Site } from './endpoint.ts'
import { type NamedSchema, type Operations, objectSchema } from './operation.ts'

export interface KeysOptions {
  readonly keyring: ManagedKeyring
  /** Absent if tokens cannot be denied. */
  readonly revocations?: Revocations | undefined
  /** Hash of the operator's token. */
  readonly operatorTokenHash: string
}

const Rotation: v.GenericSchema<unknown, { alg?: string | undefined; force?: boolean | undefined }> = v.strictObject({
  alg: v.optional(v.string('must be a string')),
  force: v.optional(v.boolean('must be true or false')),
})

const KEY = objectSchema(['kid', 'alg', 'state', 'source'], {
  state: { type: 'string', enum: ['announced', 'signing', 'retired'] },
  source: { type: 'string', enum: ['stored', 'static'] },
  signs_from: { type: 'integer' },
  created_at: { type: 'integer' },
  published_until: { type: 'integer' },
  kek: { type: 'string', description: 'Id of the key-encryption key' },
  undecryptable: { type: 'boolean' },
  overdue: { type: 'boolean' },
})

const KEYS: NamedSchema = {
  name: 'SigningKeys',
  schema: objectSchema(['issuer', 'keys'], { keys: { type: 'array', items: KEY } }),
}

const REWRAPPED: NamedSchema = {
  name: 'RewrappedKeys',
  schema: objectSchema(['rewrapped', 'undecryptable'], {
    rewrapped: { type: 'integer' },
    undecryptable: { type: 'integer' },
  }),
}

const tag = 'Signing keys'
const security = 'operator'
const example = {
  issuer: 'https://tokens.example',
  keys: [{ kid: 'oVxQ', alg: 'ES256', state: 'signing', source: 'stored', signs_from: 1_800_000_000, kek: '2026' }],
}

const OPERATIONS: Operations = {
  '/keys': {
    get: {
      operationId: 'listKeys',
      tag,
      summary: 'Lists the signing keys and their states',
      answers: { 200: { schema: KEYS } },
      errors: [401, 503],
      security,
      example,
    },
    post: {
      operationId: 'rotateKeys',
      tag,
      summary: 'Has the announced key sign at once, and announces another one',
      json: { name: 'KeyRotation', schema: Rotation },
      answers: { 200: { schema: KEYS } },
      errors: [400, 401, 409, 413, 415, 503],
      security,
      example: { force: false },
    },
  },
  '/keys/rewrap': {
    post: {
      operationId: 'rewrapKeys',
      tag,
      summary: 'Encrypts all keys under the first key-encryption key',
      answers: { 200: { schema: REWRAPPED } },
      errors: [401, 409, 503],
      security,
      example: { rewrapped: 2, undecryptable: 0 },
    },
  },
  '/keys/{kid}': {
    delete: {
      operationId: 'revokeKey',
      tag,
      summary: 'Removes a key at once, and denies its tokens',
      answers: { 204: null },
      errors: [401, 404, 409, 503],
      security,
      example: undefined,
    },
  },
}

/** Returns the endpoint for the signing keys of a keyring that rotates them. */
export function keysEndpoint(options: KeysOptions): Endpoint {
  return { path: '/keys', operations: OPERATIONS, routes: (site) => routes(site, options) }
}

function routes(site: Site, options: KeysOptions): App {
  const { keyring, operatorTokenHash } = options
  const app = new Hono<{ Bindings: Connection }>()
  const operator: MiddlewareHandler = async (c, next) => {
    await requireOperator(c, operatorTokenHash)
    await next()
  }
  const list = async (c: Context): Promise<Response> => {
    const keys = await keyring.list(site.now())
    return respondWith(JSON.stringify({ issuer: site.issuerOf(c.req.url), keys }))
  }
  app.get('/', operator, list)
  app.post('/', operator, limitJson, async (c) => {
    const refuse = (problem: string) => invalidRequest('key_rotation_malformed', problem)
    const rotation = readInput(Rotation, await readJson(c), refuse)
    if (rotation.alg !== undefined && !keyring.algorithms.includes(rotation.alg))
      throw refuse(`alg: must be one of: ${keyring.algorithms.join(', ')}.`)
    await keyring.advance(site.now(), rotation)
    return list(c)
  })
  app.post('/rewrap', operator, async () => respondWith(JSON.stringify(await keyring.rewrap(site.now())), jsonHeaders))
  app.delete('/:kid', operator, (c) => revoke(c.req.param('kid'), site.now(), options))
  return app
}

/** The tokens are denied first: if the key cannot be removed then, the operator tries again. */
async function revoke(kid: string, now: number, { keyring, revocations }: KeysOptions): Promise<Response> {
  const key = (await keyring.list(now)).find((each) => each.kid === kid)
  if (key === undefined) throw notFound('There is no such key.')
  if (key.source === 'stored') await revocations?.denyKey(kid, now)
  await keyring.revoke(now, kid)
  return noContent()
}
