/** A client that knows nothing of this server: oauth4webapi exchanges tokens and presents assertions with its generic request. */

import assert from 'node:assert/strict'
import {
  type AuthorizationServer,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processGenericTokenEndpointResponse,
  ResponseBodyError,
} from 'oauth4webapi'
import { describe, test } from '#test'
import { ACCESS_TOKEN, api, claimsOf, createExchanging } from '../support/exchange.ts'
import { TOKEN_EXCHANGE } from '../support/federation.ts'
import { ISSUER } from '../support/world.ts'

const server: AuthorizationServer = { issuer: ISSUER, token_endpoint: `${ISSUER}/token` }
const auth = ClientSecretPost('foobar')

async function createClient() {
  const { app } = await createExchanging()
  const request = async (
    url: string,
    { method, headers, body }: { method: string; headers: HeadersInit; body?: unknown },
  ) => app.request(url, { method, headers, ...(body !== undefined && { body: String(body) }) })
  const options = { [customFetch]: request }
  return {
    async getToken(client_id: string, parameters: Record<string, string>) {
      const client = { client_id }
      const response = await clientCredentialsGrantRequest(server, client, auth, parameters, options)
      return (await processClientCredentialsResponse(server, client, response)).access_token
    },
    async exchange(subject_token: string, client_id: string, parameters: Record<string, string>) {
      const client = { client_id }
      const form = { subject_token, subject_token_type: ACCESS_TOKEN, ...parameters }
      const response = await genericTokenEndpointRequest(server, client, auth, TOKEN_EXCHANGE, form, options)
      return processGenericTokenEndpointResponse(server, client, response)
    },
  }
}

describe('oauth4webapi', () => {
  test('passes a token along a chain of services', async () => {
    const { getToken, exchange } = await createClient()
    let token = await getToken('gateway', { resource: api('a'), scope: 'read write' })
    for (const [service, next] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ] as const) {
      const answer = await exchange(token, service, { resource: api(next), scope: 'read' })
      assert.deepEqual([answer.token_type, answer['issued_token_type'], answer.scope], ['bearer', ACCESS_TOKEN, 'read'])
      token = answer.access_token
    }
    const { sub, act, aud } = claimsOf(token)
    assert.deepEqual([sub, act, aud], ['gateway', { sub: 'c', act: { sub: 'b', act: { sub: 'a' } } }, api('d')])
  })

  test('reads the refusals', async () => {
    const { getToken, exchange } = await createClient()
    const token = await getToken('gateway', { resource: api('a'), scope: 'read' })
    for (const [client_id, parameters, code] of [
      ['b', { resource: api('c') }, 'invalid_request'],
      ['a', { resource: api('d') }, 'invalid_target'],
      ['a', { resource: api('b'), scope: 'write' }, 'invalid_scope'],
      ['ungranted', { resource: api('b') }, 'unauthorized_client'],
    ] as const) {
      await assert.rejects(exchange(token, client_id, parameters), (error) => {
        assert.ok(error instanceof ResponseBodyError)
        assert.equal(error.error, code)
        return true
      })
    }
  })
})
