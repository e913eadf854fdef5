/** The OpenAPI descriptions of `/register` and the paths below it. */

import { ClientMetadata } from '../clients/metadata.ts'
import { NewSecret, SecretList } from '../clients/secret_list.ts'
import { type NamedSchema, type Operations, objectSchema, PAGE } from './operation.ts'

const METADATA: NamedSchema = {
  name: 'ClientMetadata',
  schema: { allOf: [ClientMetadata, { type: 'object', properties: { client_secrets: SecretList } }] },
}

const CLIENT: NamedSchema = {
  name: 'Client',
  schema: {
    allOf: [
      ClientMetadata,
      objectSchema(['client_id'], {
        client_secret: { type: 'string', description: 'Shown once, when it is created.' },
        client_secrets: { type: 'array' },
        registration_access_token: { type: 'string' },
        registration_client_uri: { type: 'string' },
      }),
    ],
  },
}

const CLIENT_PAGE: NamedSchema = {
  name: 'ClientPage',
  schema: objectSchema(['clients'], {
    clients: { type: 'array', items: { $ref: '#/components/schemas/Client' } },
    next_cursor: { type: 'string' },
  }),
}

const NEW_SECRET: NamedSchema = { name: 'NewSecret', schema: NewSecret }

const SECRET: NamedSchema = {
  name: 'Secret',
  schema: objectSchema(['id', 'client_secret'], { client_secrets: { type: 'array' } }),
}

const tag = 'Clients'
const client = { client_id: 'billing', grant_types: ['client_credentials'], scope: 'read write' }
const answer = { schema: CLIENT }

export const REGISTER_OPERATIONS: Operations = {
  '/register': {
    get: {
      operationId: 'listClients',
      tag,
      summary: 'Lists clients',
      query: PAGE,
      answers: { 200: { schema: CLIENT_PAGE } },
      errors: [400, 401, 503],
      security: 'operator',
      example: { clients: [client] },
    },
    post: {
      operationId: 'createClient',
      tag,
      summary: 'Creates a client with a client_id that the server chooses, RFC 7591 §3',
      json: METADATA,
      answers: { 201: answer },
      errors: [400, 401, 413, 415, 503],
      security: 'operator',
      example: { client_name: 'Billing', scope: 'read write' },
    },
  },
  '/register/{client_id}': {
    get: {
      operationId: 'readClient',
      tag,
      summary: 'Reads a client, RFC 7592 §2.1',
      answers: { 200: answer },
      errors: [401, 404, 503],
      security: 'registration',
      example: client,
    },
    put: {
      operationId: 'replaceClient',
      tag,
      summary: 'Replaces the metadata of a client, RFC 7592 §2.2; an operator may create one under this client_id',
      json: METADATA,
      answers: { 200: answer, 201: answer },
      errors: [400, 401, 404, 409, 412, 413, 415, 503],
      security: 'registration',
      example: { client_name: 'Billing', scope: 'read' },
    },
    delete: {
      operationId: 'deleteClient',
      tag,
      summary: 'Deletes a client and denies its tokens, RFC 7592 §2.3',
      answers: { 204: null },
      errors: [401, 404, 412, 503],
      security: 'registration',
      example: undefined,
    },
  },
}

export const SECRET_OPERATIONS: Operations = {
  '/register/{client_id}/secrets': {
    post: {
      operationId: 'addSecret',
      tag,
      summary: 'Adds a secret, which is shown once',
      json: NEW_SECRET,
      answers: { 201: { schema: SECRET } },
      errors: [400, 401, 404, 409, 412, 413, 415, 503],
      security: 'registration',
      example: { label: 'blue', expires_at: 1_900_000_000 },
    },
  },
  '/register/{client_id}/secrets/{id}': {
    delete: {
      operationId: 'deleteSecret',
      tag,
      summary: 'Deletes a secret',
      answers: { 204: null },
      errors: [401, 404, 409, 412, 503],
      security: 'registration',
      example: undefined,
    },
  },
  '/register/{client_id}/registration_access_token': {
    post: {
      operationId: 'renewRegistrationAccessToken',
      tag,
      summary: 'Replaces the registration access token of a client',
      answers: { 200: answer },
      errors: [401, 404, 409, 412, 503],
      security: 'registration',
      example: { ...client, registration_access_token: 'emint_…' },
    },
  },
}
