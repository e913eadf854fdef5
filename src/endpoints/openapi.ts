/** `GET /openapi.json`: every mounted endpoint, its bodies described by the schemas that check them. */

import { toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { ClientMetadata } from '../clients/registration.ts'
import { NewSecret, SecretList } from '../clients/secret_list.ts'
import { ResourceMembers } from '../resources/registry.ts'
import { OPERATIONS, type Operation } from './openapi_operations.ts'
import { publicText } from './public_document.ts'
import { Cut } from './revocations.ts'

const text = { type: 'string' }
const listOf = (name: string) => ({ type: 'array', items: { $ref: `#/components/schemas/${name}` } })
const fromSchema = (schema: v.GenericSchema<unknown, unknown>): object => {
  const { $schema: _dialect, ...made } = toJsonSchema(schema, { errorMode: 'ignore', target: 'draft-2020-12' })
  return made
}

/** Shapes by name: of what is checked, from what checks it. */
function schemas(): Readonly<Record<string, object>> {
  const metadata = fromSchema(ClientMetadata)
  const client = {
    type: 'object',
    properties: { client_id: text, client_secret: text, client_secrets: { type: 'array' } },
  }
  return {
    Error: {
      type: 'object',
      properties: { error: text, error_description: text },
      required: ['error', 'error_description'],
    },
    TokenResponse: {
      type: 'object',
      properties: { access_token: text, expires_in: { type: 'integer' }, scope: text, token_type: text },
      required: ['access_token', 'expires_in', 'scope', 'token_type'],
    },
    JwkSet: { type: 'object', properties: { keys: { type: 'array', items: { type: 'object' } } }, required: ['keys'] },
    Introspection: { type: 'object', properties: { active: { type: 'boolean' } }, required: ['active'] },
    Jwt: text,
    Cut: fromSchema(Cut),
    ClientMetadata: { allOf: [metadata, { type: 'object', properties: { client_secrets: fromSchema(SecretList) } }] },
    Client: { allOf: [metadata, client] },
    ClientPage: { type: 'object', properties: { clients: listOf('Client'), next_cursor: text }, required: ['clients'] },
    NewSecret: fromSchema(NewSecret),
    Secret: { type: 'object', properties: { id: text, client_secret: text }, required: ['id', 'client_secret'] },
    Resource: fromSchema(ResourceMembers),
    ResourcePage: {
      type: 'object',
      properties: { resources: listOf('Resource'), next_cursor: text },
      required: ['resources'],
    },
  }
}

/**
 * Returns a function that answers with the document of an issuer. The document of the latest issuer is kept; the issuer changes
 * only in development, where it follows the request.
 *
 * @param isMounted whether there is something at a path
 * @see OpenAPI 3.1.1
 */
export function openapi(isMounted: (path: string) => boolean): (issuer: string) => Promise<Response> {
  const respond = publicText('application/json')
  let latest: { readonly issuer: string; readonly body: string } | undefined
  return (issuer) => {
    if (latest?.issuer !== issuer) latest = { issuer, body: JSON.stringify(documentOf(issuer, isMounted)) }
    return respond(latest.body)
  }
}

function documentOf(issuer: string, isMounted: (path: string) => boolean): object {
  const mounted = Object.entries(OPERATIONS).filter(([path]) => isMounted(path))
  return {
    openapi: '3.1.1',
    info: { title: 'edgemint', version: '1', description: 'OAuth 2.0 access tokens for machines.' },
    servers: [{ url: issuer }],
    paths: Object.fromEntries(mounted.map(([path, methods]) => [path, pathItem(path, methods)])),
    components: {
      schemas: schemas(),
      securitySchemes: {
        client: {
          type: 'http',
          scheme: 'basic',
          description: 'Or any other token_endpoint_auth_method of the metadata.',
        },
        operator: { type: 'http', scheme: 'bearer', description: 'REGISTRATION_TOKEN.' },
        registration: {
          type: 'http',
          scheme: 'bearer',
          description: "The client's registration_access_token, or REGISTRATION_TOKEN.",
        },
      },
    },
  }
}

function pathItem(path: string, methods: Readonly<Record<string, Operation>>): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: text }))
  const operations = Object.entries(methods).map(([method, operation]) => [method, operationOf(operation)])
  return { ...(parameters.length > 0 && { parameters }), ...Object.fromEntries(operations) }
}

function operationOf({ summary, form, json, answers, security, query = [] }: Operation): object {
  const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` })
  const properties = Object.fromEntries((form ?? []).map((name) => [name, text]))
  const body =
    form === undefined
      ? json && { 'application/json': { schema: refTo(json) } }
      : { [FORM]: { schema: { type: 'object', properties } } }
  const typeOf = (name: string): string => (name === 'Jwt' ? 'application/jwt' : 'application/json')
  const responses = Object.entries(answers).map(([status, name]) => [
    status,
    { description: summary, ...(name !== '' && { content: { [typeOf(name)]: { schema: refTo(name) } } }) },
  ])
  return {
    summary,
    ...(query.length > 0 && { parameters: query.map((name) => ({ name, in: 'query', schema: text })) }),
    ...(body && { requestBody: { required: true, content: body } }),
    responses: {
      ...Object.fromEntries(responses),
      default: { description: 'Refused', content: { 'application/json': { schema: refTo('Error') } } },
    },
    ...(security && { security: [{ [security]: [] }] }),
  }
}

const FORM = 'application/x-www-form-urlencoded'
