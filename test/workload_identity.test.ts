/** The whole server, set up over HTTP alone, with a client of oauth4webapi that sends the token of its platform. */

import assert from 'node:assert/strict'
import {
  type ClientAuth,
  clientCredentialsGrantRequest,
  customFetch,
  discoveryRequest,
  genericTokenEndpointRequest,
  None,
  processClientCredentialsResponse,
  processDiscoveryResponse,
  processGenericTokenEndpointResponse,
} from 'oauth4webapi'
import { describe, test } from '#test'
import type { App } from '../src/endpoints/endpoint.ts'
import { generateKeyring } from '../src/keys/keyring.ts'
import { createPreset } from '../src/preset.ts'
import { hashToken } from '../src/secrets/hashes.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { makePair, signToken, TOKEN_EXCHANGE, TOKEN_TYPE } from './support/federation.ts'
import { ISSUER, NOW } from './support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'
const GITHUB = 'https://token.actions.githubusercontent.com'
const pair = await makePair('RS256', 'one')

async function createServer(addresses: readonly string[] = ['140.82.112.3']) {
  const fetched: string[] = []
  const fetch = async (url: string) => {
    fetched.push(url)
    const isMetadata = url.endsWith('/.well-known/openid-configuration')
    return Response.json(
      isMetadata ? { issuer: GITHUB, jwks_uri: `${GITHUB}/.well-known/jwks` } : { keys: [pair.publicJwk] },
    )
  }
  const options = {
    issuer: ISSUER,
    ...memoryStores(() => NOW),
    keyring: await generateKeyring(),
    operatorTokenHash: await hashToken(OPERATOR),
  }
  const app = createPreset(options, { fetch, resolve: async () => addresses, now: () => NOW })
  const send = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
    const response = await app.request(ISSUER + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { app, send, fetched }
}

const github = `/issuers/${encodeURIComponent(GITHUB)}`
const claims = { repository_id: '74', environment: 'production' }

const jobToken = () =>
  signToken(
    { alg: 'RS256', kid: 'one', typ: 'JWT' },
    {
      iss: GITHUB,
      sub: 'repo:o@65/r@74:environment:production',
      aud: ISSUER,
      ...claims,
      iat: NOW,
      exp: NOW + 300,
      jti: crypto.randomUUID(),
    },
    pair.privateKey,
  )

/** Returns the metadata of the server as oauth4webapi reads it, and the options by which it sends requests to it. */
async function discover(app: App) {
  const request = async (
    url: string,
    { method, headers, body }: { method: string; headers: HeadersInit; body?: unknown },
  ) => app.request(url, { method, headers, ...(body !== undefined && { body: String(body) }) })
  const issuer = new URL(ISSUER)
  const server = await processDiscoveryResponse(
    issuer,
    await discoveryRequest(issuer, { algorithm: 'oauth2', [customFetch]: request }),
  )
  return { server, options: { [customFetch]: request } }
}

describe('workload identity', () => {
  test('an issuer, a client and a credential over HTTP; then a job gets a token, once for each of its own', async () => {
    const { app, send, fetched } = await createServer()
    const { status, body } = await send('PUT', github, {})
    assert.deepEqual([status, body['preset'], body['single_use']], [201, 'github', true])
    assert.equal(fetched.length, 2)
    const method = { token_endpoint_auth_method: 'federated_jwt', scope: 'deploy' }
    const client = await send('PUT', '/register/deployer', method)
    assert.deepEqual([client.status, client.body['client_secret']], [201, undefined])
    const credential = { issuer: GITHUB, claims }
    assert.equal((await send('POST', '/register/deployer/federated_credentials', credential)).status, 201)

    const jws = await jobToken()
    const withPlatformToken: ClientAuth = (_server, { client_id }, form) => {
      form.set('client_id', client_id)
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      form.set('client_assertion', jws)
    }
    const { server, options } = await discover(app)
    const methods = server.token_endpoint_auth_methods_supported
    assert.ok(methods?.includes('federated_jwt') && methods.includes('spiffe_jwt'))
    const deployer = { client_id: 'deployer' }
    const ask = () => clientCredentialsGrantRequest(server, deployer, withPlatformToken, { scope: 'deploy' }, options)
    const { access_token, scope } = await processClientCredentialsResponse(server, deployer, await ask())
    assert.ok(access_token.length > 100)
    assert.equal(scope, 'deploy')
    assert.equal((await ask()).status, 401)
  })

  test('a job exchanges its token, if the grant is registered', async () => {
    const { app, send } = await createServer()
    await send('PUT', github, {})
    const { server, options } = await discover(app)
    assert.ok(server.grant_types_supported?.includes(TOKEN_EXCHANGE))
    const deployer = { client_id: 'deployer' }
    const ask = async () => {
      const subject = { subject_token: await jobToken(), subject_token_type: `${TOKEN_TYPE}jwt`, scope: 'deploy' }
      return genericTokenEndpointRequest(server, deployer, None(), TOKEN_EXCHANGE, subject, options)
    }
    const id = 'job'
    const member = { token_endpoint_auth_method: 'federated_jwt', scope: 'deploy' }
    const federated_credentials = [{ id, issuer: GITHUB, claims }]
    assert.equal((await send('PUT', '/register/deployer', { ...member, federated_credentials })).status, 201)
    const early = await ask()
    const refusal = (await early.json()) as Record<string, unknown>
    assert.deepEqual([early.status, refusal['error']], [400, 'unauthorized_client'])
    const grant_types = [TOKEN_EXCHANGE]
    const changed = await send('PUT', '/register/deployer', { ...member, federated_credentials, grant_types })
    assert.deepEqual([changed.status, changed.body['grant_types']], [200, grant_types])
    const answer = await processGenericTokenEndpointResponse(server, deployer, await ask())
    assert.equal(answer['issued_token_type'], `${TOKEN_TYPE}access_token`)
    assert.deepEqual([answer.token_type, answer.scope], ['bearer', 'deploy'])
  })

  test('keys are not fetched from a name with a private address', async () => {
    const { send, fetched } = await createServer(['10.0.0.1'])
    const { status, body } = await send('PUT', github, {})
    assert.equal(status, 400)
    assert.match(String(body['error_description']), /cannot be fetched: .*not a public address/)
    assert.deepEqual(fetched, [])
  })

  test('a client_id that differs from that of an assertion of private_key_jwt is 401 here, because a federated client may have it', async () => {
    const { app, send } = await createServer()
    const own = await makePair('ES256', 'own')
    const jwks = { keys: [own.publicJwk] }
    await send('PUT', '/register/a', { token_endpoint_auth_method: 'private_key_jwt', jwks })
    await send('PUT', '/register/b', { token_endpoint_auth_method: 'private_key_jwt', jwks })
    const jti = 'x'
    const client_assertion = await signToken(
      { alg: 'ES256' },
      { iss: 'a', sub: 'a', aud: ISSUER, exp: NOW + 60, jti },
      own.privateKey,
    )
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const statuses = ['b', 'a'].map(async (client_id) => {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id,
        client_assertion,
        client_assertion_type,
      })
      return (await app.request(`${ISSUER}/token`, { method: 'POST', body })).status
    })
    assert.deepEqual(await Promise.all(statuses), [401, 200])
  })
})
