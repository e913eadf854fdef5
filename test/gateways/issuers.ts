/** The guard with genuine tokens of another issuer: oidc-provider. */

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runToEnd } from '../../bench/child.ts'
import { clientSecret, type TokenClient, tokenClient } from '../../src/client.ts'
import { type Guard, type GuardEvent, protect } from '../../src/resource_server.ts'
import { startServer } from '../support/process.ts'

const API = 'https://api.example'
const SECRET = 'secret-of-a-client-of-another-issuer'

/** Sends a request as a client does, to the guard and not to an API. */
function sendTo(guard: Guard, client: Partial<Parameters<typeof tokenClient>[0]>): TokenClient {
  return tokenClient({
    issuer: '',
    clientId: 'reporting',
    credentials: clientSecret(SECRET),
    origins: [API],
    async fetch(request) {
      if (new URL(request.url).origin !== API) return fetch(request)
      const result = await guard(request)
      return result instanceof Response ? result : Response.json(result.claims)
    },
    ...client,
  })
}

describe('oidc-provider', async () => {
  await runToEnd('npm', ['ci', '--prefix', 'bench/peers/oidc-provider', '--no-audit', '--no-fund'])
  const { origin: issuer, stop } = await startServer((port) => ({
    command: 'exec node bench/peers/oidc-provider/upstream.js',
    environment: {
      ISSUER: `http://localhost:${port}`,
      CLIENTS: JSON.stringify({ reporting: 600 }),
      CLIENT_SECRET: SECRET,
      PORT: `${port}`,
    },
    isSilent: true,
  }))
  after(stop)
  const events: GuardEvent[] = []
  const guardOf = (audience: string) => protect({ issuer, audience, onEvent: (event) => events.push(event) })
  const tokenEndpoint = `${issuer}/token`

  test('a token of its client is accepted', async () => {
    const client = sendTo(guardOf(API), { tokenEndpoint, resource: API })
    const response = await client.fetch(`${API}/reports`)
    assert.equal(response.status, 200, JSON.stringify(events))
    assert.equal(((await response.json()) as { client_id: string }).client_id, 'reporting')
  })

  test('a token for another API is refused', async () => {
    const client = sendTo(guardOf('https://other.example'), { tokenEndpoint, resource: API })
    assert.equal((await client.fetch(`${API}/reports`)).status, 401)
    const last = events.at(-1)
    assert.equal(last?.event === 'request_refused' && last.reason, 'token_aud_wrong')
  })

  test('a token of another issuer with the same name is refused', async () => {
    const client = sendTo(
      protect({
        issuer: issuer.replace('localhost', '127.0.0.1'),
        audience: API,
        metadata: { jwks_uri: `${issuer}/jwks` },
      }),
      { tokenEndpoint, resource: API },
    )
    assert.equal((await client.fetch(`${API}/reports`)).status, 401)
  })
})
