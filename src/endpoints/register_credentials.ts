/** `/register/{client_id}/federated_credentials`: the foreign tokens with which a client may authenticate. Operator only. */

import { type Context, Hono } from 'hono'
import { NewCredential } from '../clients/credential_schema.ts'
import { addCredential, makeCredential, requireLive, requirePinned } from '../clients/federated_credentials.ts'
import { invalidClientMetadata, notFound } from '../errors.ts'
import { emitFrom } from '../http/caller.ts'
import { readJson } from '../http/json.ts'
import { readIssuer } from '../issuers/registry.ts'
import { readInput } from '../lib/read_input.ts'
import {
  answer,
  changeClient,
  idOf,
  noClient,
  noContent,
  type RegisterParts,
  requireOperator,
} from './client_records.ts'
import { type NamedSchema, type Operations, objectSchema } from './operation.ts'

const NEW_CREDENTIAL: NamedSchema = { name: 'NewFederatedCredential', schema: NewCredential }

const CREDENTIAL: NamedSchema = {
  name: 'FederatedCredential',
  schema: { allOf: [NewCredential, objectSchema(['id'], { created_at: { type: 'integer' } })] },
}

const tag = 'Clients'
const security = 'operator'

export const CREDENTIAL_OPERATIONS: Operations = {
  '/register/{client_id}/federated_credentials': {
    post: {
      operationId: 'addFederatedCredential',
      tag,
      summary: 'Lets a client authenticate with tokens of a trusted issuer',
      json: NEW_CREDENTIAL,
      answers: { 201: { schema: CREDENTIAL } },
      errors: [400, 401, 404, 409, 412, 413, 415, 503],
      security,
      example: {
        label: 'production',
        issuer: 'https://token.actions.githubusercontent.com',
        claims: { repository_id: '74', environment: 'production' },
      },
    },
  },
  '/register/{client_id}/federated_credentials/{id}': {
    delete: {
      operationId: 'deleteFederatedCredential',
      tag,
      summary: 'Removes a federated credential of a client',
      answers: { 204: null },
      errors: [401, 404, 409, 412, 503],
      security,
      example: undefined,
    },
  },
}

/** Returns the routes below one client. A registration access token is not enough: it could let in another workload. */
export function federatedCredentials(parts: RegisterParts): Hono {
  const app = new Hono()
  app.post('/federated_credentials', (c) => add(c, parts))
  app.delete('/federated_credentials/:id', (c) => remove(c, parts))
  return app
}

async function add(c: Context, parts: RegisterParts): Promise<Response> {
  await requireOperator(c, parts.operatorTokenHash)
  const given = readInput(NewCredential, await readJson(c), (problem) =>
    invalidClientMetadata('metadata_malformed', problem),
  )
  await requirePinned(given, '', (issuer) => readIssuer(parts.registry, issuer))
  const now = parts.now()
  requireLive(given, '', undefined, now)
  const credential = makeCredential(given, now)
  const { record } = await changeClient(c, parts, async (held) => {
    if (held === undefined) throw noClient()
    return {
      client: { ...held, federated_credentials: addCredential(held.federated_credentials ?? [], credential, now) },
    }
  })
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'credential_added', client_id: idOf(c), by: 'operator' })
  return answer(credential, record, 201)
}

async function remove(c: Context, parts: RegisterParts): Promise<Response> {
  await requireOperator(c, parts.operatorTokenHash)
  const id = c.req.param('id') ?? ''
  await changeClient(c, parts, async (held) => {
    if (held === undefined) throw noClient()
    const federated_credentials = held.federated_credentials?.filter((credential) => credential.id !== id) ?? []
    if (federated_credentials.length === (held.federated_credentials?.length ?? 0)) {
      throw notFound('There is no such federated credential.')
    }
    return { client: { ...held, federated_credentials } }
  })
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'credential_removed', client_id: idOf(c), by: 'operator' })
  return noContent()
}
