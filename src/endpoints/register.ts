/** `/register`: an operator manages all clients, and each client manages itself. */

import { type Context, Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { requireAllUsable } from '../clients/federated_credentials.ts'
import { operatorMembersOf, readClient, refuseOperatorsMembers, replaceClient } from '../clients/management.ts'
import { readMetadata } from '../clients/metadata.ts'
import { CLIENTS, clientKey, clientRecord, isClientId, isNewClientId } from '../clients/registry.ts'
import { invalidClientMetadata } from '../errors.ts'
import { readBearer } from '../http/bearer.ts'
import { emitFrom } from '../http/caller.ts'
import { requireMatch } from '../http/etag.ts'
import { limitJson, readJson } from '../http/json.ts'
import { readPage } from '../http/page.ts'
import { respondWith } from '../http/respond.ts'
import { readIssuer } from '../issuers/registry.ts'
import { changeRecord } from '../records/change.ts'
import { keyOf } from '../records/records.ts'
import { generateSecret } from '../secrets/generated.ts'
import { hashToken } from '../secrets/hashes.ts'
import {
  answer,
  changeClient,
  findClient,
  findRecord,
  idOf,
  noClient,
  noContent,
  type RegisterOptions,
  type RegisterParts,
  removeClient,
  requireOperator,
  shown,
} from './client_records.ts'
import { type App, below, type Endpoint } from './endpoint.ts'
import { CREDENTIAL_OPERATIONS, federatedCredentials } from './register_credentials.ts'
import { REGISTER_OPERATIONS, SECRET_OPERATIONS } from './register_operations.ts'
import { clientSecrets } from './register_secrets.ts'

const PATH = '/register'

/**
 * Returns the registration endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3 RFC 7591 §3}, {@link https://www.rfc-editor.org/rfc/rfc7592#section-2 RFC 7592 §2}
 */
export function registerEndpoint(options: RegisterOptions): Endpoint {
  return {
    path: PATH,
    metadataMember: 'registration_endpoint',
    operations: { ...REGISTER_OPERATIONS, ...SECRET_OPERATIONS, ...CREDENTIAL_OPERATIONS },
    routes: ({ issuerOf, now }) => routes({ ...options, now, registrationUrl: (url) => below(issuerOf(url), PATH) }),
  }
}

function routes(parts: RegisterParts): App {
  const app = new Hono<{ Bindings: Connection }>()
  app.use(limitJson)
  app.post('/', (c) => create(c, parts))
  app.get('/', (c) => listAll(c, parts))
  app.get('/:client_id', (c) => read(c, parts))
  app.put('/:client_id', (c) => replace(c, parts))
  app.delete('/:client_id', (c) => remove(c, parts))
  app.route('/:client_id', clientSecrets(parts))
  return app.route('/:client_id', federatedCredentials(parts))
}

/** RFC 7591 §3: the server chooses the `client_id`. */
async function create(c: Context, parts: RegisterParts): Promise<Response> {
  await requireOperator(c, parts.operatorTokenHash)
  const metadata = await readMetadata(await readJson(c), parts.offer)
  await requireAllUsable(
    metadata.federated_credentials,
    [],
    (issuer) => readIssuer(parts.registry, issuer),
    parts.now(),
  )
  const { client, made } = await replaceClient(
    crypto.randomUUID(),
    metadata,
    undefined,
    undefined,
    'operator',
    parts.now(),
  )
  const registration_access_token = generateSecret()
  const owned = { ...client, registration_access_token_hash: await hashToken(registration_access_token) }
  const record = clientRecord(owned)
  await changeRecord(parts.registry, clientKey(client.client_id), async () => ({ text: record, result: undefined }))
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'created', client_id: client.client_id, by: 'operator' })
  return answer(shown(owned, parts.registrationUrl(c.req.url), { made, registration_access_token }), record, 201)
}

/** RFC 7592 §2.2. An operator may also create a client with a `client_id` of their choice. */
async function replace(c: Context, parts: RegisterParts): Promise<Response> {
  const body = await readJson(c)
  if (body['client_id'] !== undefined && body['client_id'] !== idOf(c)) {
    throw invalidClientMetadata('metadata_inconsistent', 'client_id: must be the one in the URL.')
  }
  const { client, made, isNew, record, caller } = await changeClient(c, parts, async (held, by) => {
    if (held === undefined && !isNewClientId(idOf(c))) throw noClient()
    const isOwn = by === 'client' && held !== undefined
    if (isOwn) refuseOperatorsMembers(body, held)
    const kept = isOwn ? operatorMembersOf(held) : {}
    // Last, because a member that the operator omitted must not receive its default value.
    const metadata = { ...(await readMetadata({ ...body, ...kept }, parts.offer)), ...kept }
    await requireAllUsable(
      metadata.federated_credentials,
      held?.federated_credentials,
      (issuer) => readIssuer(parts.registry, issuer),
      parts.now(),
    )
    const secrets = isOwn ? undefined : body['client_secrets']
    const { client, made } = await replaceClient(idOf(c), metadata, secrets, held, by, parts.now())
    // Before the write, which may fail: a client without its tokens is better than tokens of a disabled client.
    if (client.disabled && !held?.disabled) await parts.revocations?.end(client.client_id, parts.now())
    return { client, made, isNew: held === undefined }
  })
  const change = isNew ? 'created' : 'replaced'
  emitFrom(c, parts.emit, { event: 'client_changed', change, client_id: client.client_id, by: caller })
  return answer(shown(client, parts.registrationUrl(c.req.url), { made }), record, isNew ? 201 : 200)
}

/** RFC 7592 §2.1. A client receives its own token again. An operator cannot, because only its hash is stored. */
async function read(c: Context, parts: RegisterParts): Promise<Response> {
  const { client, record, caller } = await findClient(c, parts)
  const registration_access_token = caller === 'client' ? readBearer(c.req.raw.headers) : undefined
  return answer(shown(client, parts.registrationUrl(c.req.url), { registration_access_token }), record, 200)
}

/** RFC 7592 §2.3. */
async function remove(c: Context, parts: RegisterParts): Promise<Response> {
  const { record, caller } = await findRecord(c, parts)
  if (!isClientId(idOf(c))) throw noClient()
  await requireMatch(c, record)
  await parts.revocations?.end(idOf(c), parts.now())
  await removeClient(c, { record, caller }, parts)
  // A deletion may fail half-way, so it runs completely when an operator repeats it, even without a record.
  if (record === undefined) throw noClient()
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'deleted', client_id: idOf(c), by: caller })
  return noContent()
}

/** Not part of RFC 7592. Of an unreadable record, only the `client_id` is listed. */
async function listAll(c: Context, parts: RegisterParts): Promise<Response> {
  await requireOperator(c, parts.operatorTokenHash)
  const { ids, cursor: next_cursor } = await readPage(c, parts.registry, keyOf(CLIENTS, ''))
  const clients = await Promise.all(ids.map((client_id) => showOne(client_id, c, parts)))
  return respondWith(JSON.stringify({ clients: clients.flat(), next_cursor }))
}

async function showOne(client_id: string, c: Context, { registry, registrationUrl }: RegisterParts): Promise<object[]> {
  const record = await registry.get(clientKey(client_id))
  try {
    const client = readClient(record, client_id)
    return client === undefined ? [] : [shown(client, registrationUrl(c.req.url))]
  } catch {
    return [{ client_id, malformed: true }]
  }
}
