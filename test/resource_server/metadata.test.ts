import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { resourceMetadata } from '../../src/resource_server.ts'

const RESOURCE = 'https://api.example/v1'
const URL_OF_IT = 'https://api.example/.well-known/oauth-protected-resource/v1'
const described = { resource: RESOURCE, authorization_servers: ['https://tokens.example'], scopes_supported: ['read'] }

describe('the metadata of a protected resource', () => {
  test('is of an https URL, or one of this machine', () => {
    for (const resource of ['http://api.example', 'https://api.example#a', 'https://a:b@api.example', 'urn:x', ''])
      assert.throws(() => resourceMetadata({ ...described, resource }), /^TypeError: resource:/)
    const { url } = resourceMetadata({ ...described, resource: 'http://localhost:8080' })
    assert.equal(url, 'http://localhost:8080/.well-known/oauth-protected-resource')
  })

  test('is at the well-known URL of RFC 9728 §3.1', () => {
    for (const [resource, url] of [
      ['https://api.example', 'https://api.example/.well-known/oauth-protected-resource'],
      ['https://api.example/', 'https://api.example/.well-known/oauth-protected-resource'],
      [RESOURCE, URL_OF_IT],
      ['https://api.example/v1?k=1', `${URL_OF_IT}?k=1`],
    ] as const)
      assert.equal(resourceMetadata({ ...described, resource }).url, url)
  })

  test('has the members of RFC 9728 §2', async () => {
    const { respond } = resourceMetadata({ ...described, jwks_uri: 'https://api.example/jwks' })
    const response = await respond(new Request(URL_OF_IT))
    assert.ok(response !== undefined)
    assert.deepEqual(await response.json(), {
      ...described,
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256'],
      jwks_uri: 'https://api.example/jwks',
    })
    const { headers } = response
    assert.equal(headers.get('Content-Type'), 'application/json')
    assert.equal(headers.get('Cache-Control'), 'public, max-age=300')
    assert.equal(headers.get('Access-Control-Allow-Origin'), '*')
  })

  test('is signed by who says so', async () => {
    const { respond } = resourceMetadata(described, async (claims) => `signed ${claims['resource']}`)
    const document = (await (await respond(new Request(URL_OF_IT)))?.json()) as Record<string, unknown>
    assert.equal(document['signed_metadata'], `signed ${RESOURCE}`)
    assert.equal(document['resource'], RESOURCE)
  })

  test('leaves other paths to the API, and refuses other methods', async () => {
    const { respond } = resourceMetadata(described)
    assert.equal(await respond(new Request(RESOURCE)), undefined)
    assert.equal(await respond(new Request(URL_OF_IT.replace('/v1', ''))), undefined)
    const refused = await respond(new Request(URL_OF_IT, { method: 'POST' }))
    assert.deepEqual([refused?.status, refused?.headers.get('Allow')], [405, 'GET, HEAD'])
    assert.equal((await respond(new Request(URL_OF_IT, { method: 'HEAD' })))?.status, 200)
  })

  test('needs an identifier that is a URL without fragment', () => {
    for (const resource of ['urn:example:api', 'api', 'https://api.example/#a', ''])
      assert.throws(() => resourceMetadata({ ...described, resource }), /^TypeError: resource:/)
  })
})
