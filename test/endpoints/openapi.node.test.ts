import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, test } from '#test'
import { hashToken } from '../../src/clients/secret_hashes.ts'
import { openapi } from '../../src/endpoints/openapi.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, { responses: object }>>
  readonly components: { schemas: Record<string, { allOf?: { properties: object }[]; properties?: object }> }
}

async function documentOf(features: Parameters<typeof createWorld>[0]): Promise<Document> {
  const { app } = await createWorld(features)
  const response = await app.request(`${ISSUER}/openapi.json`)
  assert.equal(response.headers.get('Content-Type'), 'application/json')
  return (await response.json()) as Document
}

const whole = documentOf({ ledger: memoryStores(() => NOW).ledger, operatorTokenHash: await hashToken('x'.repeat(32)) })

describe('openapi.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const document = await whole
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
    assert.ok(valid, JSON.stringify(errors))
    assert.match(document.openapi, /^3\.1/)
  })

  test('holds every route there is, and the members that registration takes', async () => {
    const { paths, components } = await whole
    const { app } = await createWorld({
      ledger: memoryStores(() => NOW).ledger,
      operatorTokenHash: await hashToken('x'.repeat(32)),
    })
    const left = [
      '/authorize',
      '/openapi.json',
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ]
    const routes = app.routes
      .map(({ path }) => path.replace(/:(\w+)/g, '{$1}'))
      .filter((path) => !path.includes('*') && !left.includes(path))
    assert.deepEqual([...new Set(routes)].sort(), Object.keys(paths).sort())
    const members = Object.keys(components.schemas['ClientMetadata']?.allOf?.[0]?.properties ?? {})
    for (const member of ['client_name', 'jwks', 'scope', 'resources', 'dpop_bound_access_tokens'])
      assert.ok(members.includes(member))
    assert.ok('signing_alg' in (components.schemas['Resource']?.properties ?? {}))
  })

  test('names the issuer of each request where it follows the request, and is made once for one issuer', async () => {
    let made = 0
    const describeFor = openapi((path) => {
      if (path === '/token') made++
      return true
    })
    for (const issuer of [ISSUER, ISSUER, 'http://localhost:1', 'http://localhost:1', ISSUER]) {
      const { servers } = (await (await describeFor(issuer)).json()) as { servers: unknown }
      assert.deepEqual(servers, [{ url: issuer }])
    }
    assert.equal(made, 3)
  })

  test('tells only what is mounted', async () => {
    assert.deepEqual(Object.keys((await documentOf({})).paths), ['/token', '/.well-known/jwks.json'])
  })
})
