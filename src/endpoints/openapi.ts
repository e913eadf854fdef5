/** `GET /openapi.json`: the description of every mounted endpoint, with the schemas that validate its bodies. */

import { toJsonSchema } from '@valibot/to-json-schema'
import { Hono } from 'hono'
import type * as v from 'valibot'
import type { Connection } from '../certificates/client_cert.ts'
import { publicText, publish } from '../http/public_document.ts'
import type { Endpoint } from './endpoint.ts'
import { type NamedSchema, type Operation, objectSchema, type Parameters } from './operation.ts'

const PATH = '/openapi.json'

const ERROR: NamedSchema = { name: 'Error', schema: objectSchema(['error', 'error_description']) }

const DOCUMENT: NamedSchema = { name: 'OpenApi', schema: objectSchema(['openapi'], { paths: { type: 'object' } }) }

/**
 * Returns the endpoint that serves the OpenAPI document.
 *
 * @see {@link https://spec.openapis.org/oas/v3.1.1.html OpenAPI 3.1.1}
 */
export function openapiEndpoint(): Endpoint {
  return {
    path: PATH,
    operations: {
      [PATH]: {
        get: {
          operationId: 'getOpenApi',
          tag: 'Discovery',
          summary: 'Returns this document',
          answers: { 200: { schema: DOCUMENT } },
          errors: [],
          example: { openapi: '3.1.1', paths: {} },
        },
      },
    },
    routes({ issuerOf, endpoints }) {
      const respond = publicText('application/json')
      // The document of the last issuer is cached. In development the issuer depends on the request.
      let latest: { readonly issuer: string; readonly body: string } | undefined
      const app = new Hono<{ Bindings: Connection }>()
      publish(app, '/', (c) => {
        const issuer = issuerOf(c.req.url)
        if (latest?.issuer !== issuer) latest = { issuer, body: JSON.stringify(documentOf(issuer, endpoints)) }
        return respond(latest.body)
      })
      return app
    },
  }
}

function documentOf(issuer: string, endpoints: readonly Endpoint[]): object {
  const paths = endpoints.flatMap(({ operations = {} }) => Object.entries(operations))
  const operations = paths.flatMap(([, methods]) => Object.values(methods))
  const tags = [...new Set(operations.map(({ tag }) => tag))]
  return {
    openapi: '3.1.1',
    info: { title: 'edgemint', version: '1', description: 'OAuth 2.0 access tokens for machines.' },
    servers: [{ url: issuer }],
    tags: tags.map((name) => ({ name })),
    paths: Object.fromEntries(paths.map(([path, methods]) => [path, pathItem(path, methods)])),
    components: { schemas: Object.fromEntries(schemasOf(operations)), securitySchemes: SECURITY_SCHEMES },
  }
}

const SECURITY_SCHEMES = {
  client: { type: 'http', scheme: 'basic', description: 'Or any other token_endpoint_auth_method of the metadata.' },
  operator: { type: 'http', scheme: 'bearer', description: 'REGISTRATION_TOKEN.' },
  registration: {
    type: 'http',
    scheme: 'bearer',
    description: "The client's registration_access_token, or REGISTRATION_TOKEN.",
  },
}

function schemasOf(operations: readonly Operation[]): readonly [string, unknown][] {
  const named = operations.flatMap(({ json, answers }) => [
    ...(json === undefined ? [] : [json]),
    ...Object.values(answers).flatMap((answer) => answer?.schema ?? []),
  ])
  return [...named, ERROR].map(({ name, schema }) => [name, toJson(schema)])
}

/** Converts Valibot schemas to JSON Schema, also when they are nested in a JSON Schema. */
function toJson(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toJson)
  if (typeof schema !== 'object' || schema === null) return schema
  if (isValibot(schema)) {
    const { $schema: _dialect, ...made } = toJsonSchema(schema, { errorMode: 'ignore', target: 'draft-2020-12' })
    return made
  }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, toJson(value)]))
}

function isValibot(schema: object): schema is v.GenericSchema {
  return 'kind' in schema && schema.kind === 'schema'
}

function pathItem(path: string, methods: Readonly<Record<string, Operation>>): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const operations = Object.entries(methods).map(([method, operation]) => [method, describe(operation)])
  return { ...(parameters.length > 0 && { parameters }), ...Object.fromEntries(operations) }
}

function describe(operation: Operation): object {
  const { operationId, tag, summary, query = {}, security } = operation
  const parameters = Object.entries(query).map(([name, { description }]) => ({
    name,
    in: 'query',
    schema: { type: 'string' },
    ...(description !== undefined && { description }),
  }))
  return {
    operationId,
    tags: [tag],
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...bodyOf(operation),
    responses: Object.fromEntries([...answersOf(operation), ...refusalsOf(operation)]),
    ...(security !== undefined && { security: [{ [security]: [] }] }),
  }
}

function bodyOf({ form, json, example }: Operation): object {
  const [type, schema] = form === undefined ? ['application/json', json && refTo(json)] : [FORM_TYPE, formSchema(form)]
  return schema === undefined ? {} : { requestBody: { required: true, content: { [type]: { schema, example } } } }
}

function formSchema(form: Parameters): object {
  const text = { type: 'string' }
  const properties = Object.entries(form).map(([name, { repeats, description }]) => [
    name,
    { ...(repeats ? { type: 'array', items: text } : text), ...(description !== undefined && { description }) },
  ])
  const required = Object.keys(form).filter((name) => form[name]?.required)
  return { type: 'object', properties: Object.fromEntries(properties), ...(required.length > 0 && { required }) }
}

function answersOf({ answers, form, json, example, summary }: Operation): readonly [string, object][] {
  const isExample = form === undefined && json === undefined
  return Object.entries(answers).map(([status, answer]) => {
    if (answer === null) return [status, { description: summary }]
    const content = { schema: refTo(answer.schema), ...(isExample && { example }) }
    return [status, { description: summary, content: { [answer.type ?? 'application/json']: content } }]
  })
}

function refusalsOf({ errors }: Operation): readonly [string, object][] {
  const content = { 'application/json': { schema: refTo(ERROR) } }
  return errors.map((status) => [String(status), { description: 'Refused', content }])
}

function refTo({ name }: NamedSchema): object {
  return { $ref: `#/components/schemas/${name}` }
}

const FORM_TYPE = 'application/x-www-form-urlencoded'
