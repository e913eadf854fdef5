import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Hono } from 'hono'
import { describe, test } from '#test'
import type { Connection } from '../../src/certificates/client_cert.ts'
import type { Endpoint } from '../../src/endpoints/endpoint.ts'
import { openapiEndpoint } from '../../src/endpoints/openapi.ts'
import { createProvider } from '../../src/provider.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

interface Body {
  readonly content?: Record<string, { example?: unknown; schema: { required?: string[]; properties?: Properties } }>
}

type Properties = Record<string, { type: string }>

interface Operation {
  readonly operationId: string
  readonly tags: string[]
  readonly requestBody?: Body
  readonly responses: Record<string, Body>
  readonly security?: object[]
}

interface Document {
  readonly openapi: string
  readonly tags: { name: string }[]
  readonly paths: Record<string, Record<string, Operation> & { parameters?: object[] }>
  readonly components: { schemas: Record<string, { allOf?: { properties: object }[]; properties?: object }> }
}

/** Paths without an operation: they are described elsewhere, or exist only because some clients require them. */
const UNLISTED = ['/authorize', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

async function documentOf(features: Parameters<typeof createWorld>[0]): Promise<Document> {
  const { app } = await createWorld(features)
  const response = await app.request(`${ISSUER}/openapi.json`)
  assert.equal(response.headers.get('Content-Type'), 'application/json')
  return (await response.json()) as Document
}

const everything = {
  ledger: memoryStores(() => NOW).ledger,
  operatorTokenHash: await hashToken('x'.repeat(32)),
  securityContacts: ['mailto:security@tokens.example'],
}
const whole = documentOf(everything)

describe('openapi.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const document = await whole
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
    assert.ok(valid, JSON.stringify(errors))
    assert.match(document.openapi, /^3\.1/)
  })

  for (const [name, features] of [
    ['with every feature', everything],
    ['with neither ledger nor operator', {}],
  ] as const) {
    test(`${name}: has every route with its methods and parameters, and nothing else`, async () => {
      const { paths } = await documentOf(features)
      const { app } = await createWorld(features)
      const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
      const routes = app.routes
        .filter(({ method, path }) => METHODS.includes(method) && !UNLISTED.includes(path))
        .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
      const described = Object.entries(paths).flatMap(([path, { parameters: _shared, ...methods }]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      )
      assert.deepEqual(described.sort(), [...new Set(routes)].sort())
      for (const [path, { parameters = [] }] of Object.entries(paths)) {
        const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        const expected = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
        assert.deepEqual(parameters, expected)
      }
    })
  }

  test('each operation has a unique id, a tag, its refusals, and an example if it has a body', async () => {
    const { paths, tags } = await whole
    const operations = Object.values(paths).flatMap(({ parameters: _shared, ...methods }) => Object.values(methods))
    const ids = operations.map(({ operationId }) => operationId)
    assert.equal(new Set(ids).size, operations.length)
    for (const {
      operationId,
      tags: [tag, another],
      responses,
      security,
      requestBody,
    } of operations) {
      assert.match(operationId, /^[a-z][A-Za-z]+$/)
      assert.ok(tags.some(({ name }) => name === tag) && another === undefined)
      if (security !== undefined) assert.ok('401' in responses && '503' in responses, operationId)
      if (requestBody !== undefined) assert.ok('400' in responses && '413' in responses && '415' in responses)
      const bodies = [requestBody, ...Object.values(responses)].flatMap((each) => Object.values(each?.content ?? {}))
      const hasBody = requestBody !== undefined || '200' in responses
      assert.equal(
        bodies.some(({ example }) => example !== undefined),
        hasBody,
        operationId,
      )
    }
  })

  test('says which parameters of a form are required and which repeat', async () => {
    const { paths } = await whole
    const schemaOf = (path: string) => Object.values(paths[path]?.['post']?.requestBody?.content ?? {})[0]?.schema
    assert.deepEqual(schemaOf('/token')?.required, ['grant_type'])
    for (const path of ['/introspect', '/revoke']) assert.deepEqual(schemaOf(path)?.required, ['token'])
    const { properties } = schemaOf('/token') ?? {}
    const kinds = Object.entries(properties ?? {}).map(([name, { type }]) => [name, type])
    const text = ['grant_type', 'scope', 'client_id', 'client_secret', 'client_assertion_type', 'client_assertion']
    const expected = [...text.map((name) => [name, 'string']), ['resource', 'array'], ['audience', 'array']]
    assert.deepEqual(kinds.sort(), expected.sort())
  })

  test('has the members that registration accepts', async () => {
    const { components } = await whole
    const members = Object.keys(components.schemas['ClientMetadata']?.allOf?.[0]?.properties ?? {})
    for (const member of ['client_name', 'jwks', 'scope', 'resources', 'dpop_bound_access_tokens'])
      assert.ok(members.includes(member))
    assert.ok('signing_alg' in (components.schemas['Resource']?.properties ?? {}))
  })

  test('names the issuer of each request when the issuer depends on it, and is made once per issuer', async () => {
    let made = 0
    const counting: Endpoint = {
      path: '/counting',
      get operations() {
        made++
        return {}
      },
      routes: () => new Hono<{ Bindings: Connection }>(),
    }
    const issuer = (url: string) => new URL(url).origin
    const app = createProvider({ issuer, endpoints: [openapiEndpoint(), counting] })
    for (const origin of [ISSUER, ISSUER, 'http://localhost:1', 'http://localhost:1', ISSUER]) {
      const { servers } = (await (await app.request(`${origin}/openapi.json`)).json()) as { servers: unknown }
      assert.deepEqual(servers, [{ url: origin }])
    }
    assert.equal(made, 3)
  })
})
