import assert from 'node:assert/strict'
import { customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { clientCredentialsGrant, customFetch as clientCustomFetch, discovery, type FetchBody } from 'openid-client'
import { describe, test } from '#test'
import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { tlsClientAuth } from '../../src/authentication/tls_client_auth.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { mtls } from '../../src/confirmations/mtls.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const { ledger } = memoryStores(() => NOW)
const keys = remoteKeys({ fetch: () => Promise.reject(new Error('no network')), now: () => NOW })
const OAUTH = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'

const isUrl = (value: unknown): boolean => typeof value === 'string' && URL.canParse(value)
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string')

/** RFC 8414 §2 and OpenID Connect Discovery 1.0 §3. */
const REQUIRED: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  [OAUTH]: {
    issuer: isUrl,
    authorization_endpoint: isUrl,
    token_endpoint: isUrl,
    response_types_supported: isTextList,
  },
  [OPENID]: {
    issuer: isUrl,
    authorization_endpoint: isUrl,
    token_endpoint: isUrl,
    jwks_uri: isUrl,
    response_types_supported: isTextList,
    subject_types_supported: isTextList,
    id_token_signing_alg_values_supported: isTextList,
  },
}

describe('metadata', () => {
  test('lists what is mounted and nothing else', async () => {
    const { app } = await createWorld({
      clientAuth: [
        clientSecretBasic(),
        privateKeyJwt({ ledger, remoteKeys: keys, maxLifetimeSeconds: 60 }),
        tlsClientAuth(),
      ],
      confirmations: [dpop({ ledger }), mtls()],
    })
    const response = await app.request(ISSUER + OAUTH)
    assert.equal(response.headers.get('Content-Type'), 'application/json')
    assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*')
    assert.match(response.headers.get('Cache-Control') ?? '', /^public, max-age=\d+$/)
    assert.deepEqual(await response.json(), {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth'],
      token_endpoint_auth_signing_alg_values_supported: [
        ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
      ],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256'],
      tls_client_certificate_bound_access_tokens: true,
      scopes_supported: ['read'],
    })
  })

  test('does not list features that are not mounted', async () => {
    const { app } = await createWorld({ clientAuth: [clientSecretBasic()], registry: memoryStores(() => NOW).registry })
    const document = (await (await app.request(ISSUER + OAUTH)).json()) as Record<string, unknown>
    for (const member of ['dpop_signing_alg_values_supported', 'scopes_supported', 'introspection_endpoint']) {
      assert.equal(member in document, false, member)
    }
    assert.deepEqual(document['token_endpoint_auth_methods_supported'], ['client_secret_basic'])
  })

  test('openid-configuration adds only what OpenID Connect Discovery requires', async () => {
    const { app, keyring } = await createWorld()
    const [oauth, openid] = await Promise.all(
      [OAUTH, OPENID].map(
        async (path) => (await app.request(ISSUER + path)).json() as Promise<Record<string, unknown>>,
      ),
    )
    assert.deepEqual(openid, {
      ...oauth,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: keyring.algorithms,
    })
  })

  for (const [path, required] of Object.entries(REQUIRED)) {
    test(`has the required members at ${path}`, async () => {
      const { app } = await createWorld()
      const document = (await (await app.request(ISSUER + path)).json()) as Record<string, unknown>
      for (const [member, isOfItsType] of Object.entries(required)) assert.ok(isOfItsType(document[member]), member)
    })
  }

  test('for an issuer with a path, the documents are at the locations of RFC 8414 §3.1 and OpenID, and the endpoints below the path', async () => {
    const issuer = 'https://tokens.example/tenant/1'
    const { app } = await createWorld({ issuer })
    const origin = 'https://tokens.example'
    for (const url of [
      `${origin}${OAUTH}/tenant/1`,
      `${origin}${OPENID}/tenant/1`,
      `${issuer}${OPENID}`,
      origin + OAUTH,
    ]) {
      const response = await app.request(url)
      assert.equal(response.status, 200, url)
      const document = (await response.json()) as { issuer: string; token_endpoint: string; jwks_uri: string }
      assert.equal(document.issuer, issuer)
      assert.equal(document.token_endpoint, `${issuer}/token`)
      assert.equal((await app.request(document.jwks_uri)).status, 200)
    }
    const body = new URLSearchParams('grant_type=client_credentials&client_id=test-client&client_secret=foobar')
    for (const base of [issuer, origin]) {
      assert.equal((await app.request(`${base}/token`, { method: 'POST', body })).status, 200)
    }
    assert.equal((await app.request(`${origin}${OAUTH}/tenant/2`)).status, 404)
  })

  test('does not depend on the registry or on unreadable records', async () => {
    const { registry } = memoryStores(() => NOW)
    await registry.put('resource:urn:a', '{')
    await registry.put('resource:urn:b', '{"schema":1,"resource":"urn:b","scope":"read"}')
    const scopesOf = async (given: typeof registry) => {
      const { app } = await createWorld({ registry: given })
      const response = await app.request(ISSUER + OAUTH)
      assert.equal(response.status, 200)
      return ((await response.json()) as { scopes_supported?: string[] }).scopes_supported
    }
    assert.deepEqual(await scopesOf(registry), ['read'])
    assert.equal(await scopesOf({ ...registry, list: () => Promise.reject(new Error('down')) }), undefined)
  })

  test('uses the origin of each request when the issuer depends on it', async () => {
    const { app } = await createWorld({ issuer: (url) => new URL(url).origin })
    const document = (await (await app.request(`http://localhost:1234${OAUTH}`)).json()) as Record<string, unknown>
    assert.equal(document['issuer'], 'http://localhost:1234')
  })
})

describe('discovery by client libraries', () => {
  for (const path of [OAUTH, OPENID]) {
    const algorithm = path === OAUTH ? 'oauth2' : 'oidc'
    test(`oauth4webapi and openid-client accept the ${algorithm} document`, async () => {
      const { app, keyring } = await createWorld()
      const issuer = new URL(ISSUER)
      const send = async (
        url: string,
        { body, method, headers }: { body?: FetchBody; method: string; headers: HeadersInit },
      ) => app.request(url, { method, headers, ...(body && { body: String(body) }) })
      const response = await discoveryRequest(issuer, { algorithm, [customFetch]: send })
      const server = await processDiscoveryResponse(issuer, response)
      assert.equal(server.token_endpoint, `${ISSUER}/token`)
      const configuration = await discovery(issuer, 'test-client', 'foobar', undefined, {
        algorithm,
        [clientCustomFetch]: send,
      })
      const { access_token } = await clientCredentialsGrant(configuration)
      assert.ok(access_token)
      const algorithms = configuration.serverMetadata()['id_token_signing_alg_values_supported']
      assert.deepEqual(algorithms, path === OAUTH ? undefined : keyring.algorithms)
    })
  }
})

describe('the authorization endpoint', () => {
  for (const method of ['GET', 'POST', 'HEAD']) {
    test(`answers unsupported_response_type: ${method}`, async () => {
      const { app, events } = await createWorld()
      const response = await app.request(`${ISSUER}/authorize?response_type=code&client_id=x`, { method })
      assert.equal(response.status, 400)
      if (method !== 'HEAD') {
        assert.equal(((await response.json()) as { error: string }).error, 'unsupported_response_type')
      }
      const [event] = events
      assert.ok(event?.event === 'request_refused' && event.reason === 'response_type_unsupported')
    })
  }
})
