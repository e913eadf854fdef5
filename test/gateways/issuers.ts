/** The guard with genuine tokens of other issuers: oidc-provider, and Keycloak, which is fetched by Maven. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runToEnd } from '../../bench/child.ts'
import { clientSecret, type TokenClient, tokenClient } from '../../src/client.ts'
import { type Guard, type GuardEvent, introspection, protect } from '../../src/resource_server.ts'
import { startServer } from '../support/process.ts'

const API = 'https://api.example'
const SECRET = 'secret-of-a-client-of-another-issuer'

const KEYCLOAK = '26.0.7'

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

/** A realm with a client whose tokens are of RFC 9068, for the API. */
const REALM = {
  realm: 'apis',
  enabled: true,
  clients: [
    {
      clientId: 'reporting',
      secret: SECRET,
      serviceAccountsEnabled: true,
      standardFlowEnabled: false,
      publicClient: false,
      attributes: { 'access.token.header.type.rfc9068': 'true' },
      protocolMappers: [
        {
          name: 'audience',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-audience-mapper',
          config: {
            'included.custom.audience': API,
            'access.token.claim': 'true',
            'introspection.token.claim': 'true',
          },
        },
        {
          name: 'client_id',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-hardcoded-claim-mapper',
          config: {
            'claim.name': 'client_id',
            'claim.value': 'reporting',
            'jsonType.label': 'String',
            'access.token.claim': 'true',
          },
        },
      ],
    },
  ],
}

/** Returns the folder of Keycloak. Maven fetches it the first time. */
function keycloak(): string {
  const place = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgemint-federation', 'keycloak')
  const folder = join(place, `keycloak-${KEYCLOAK}`)
  if (existsSync(folder)) return folder
  mkdirSync(place, { recursive: true })
  const artifact = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK}:zip`
  execFileSync('mvn', ['-q', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${place}`])
  execFileSync('unzip', ['-q', join(place, `keycloak-quarkus-dist-${KEYCLOAK}.zip`), '-d', place])
  return folder
}

describe('Keycloak', async () => {
  const home = mkdtempSync(join(tmpdir(), 'edgemint-keycloak-'))
  cpSync(keycloak(), home, { recursive: true })
  mkdirSync(join(home, 'data', 'import'), { recursive: true })
  writeFileSync(join(home, 'data', 'import', 'apis.json'), JSON.stringify(REALM))
  const options = '--import-realm --features=dpop --http-host=127.0.0.1'
  const { origin, stop } = await startServer((port) => ({
    command: `exec ${home}/bin/kc.sh start-dev ${options} --http-port=${port} --hostname=http://localhost:${port}`,
    isSilent: true,
  }))
  after(stop)
  const issuer = `${origin}/realms/apis`
  const events: GuardEvent[] = []
  const onEvent = (event: GuardEvent) => void events.push(event)
  const tokenEndpoint = `${issuer}/protocol/openid-connect/token`
  const told = () => JSON.stringify(events)

  test('a token of its client is accepted', async () => {
    const client = sendTo(protect({ issuer, audience: API, onEvent }), { tokenEndpoint })
    assert.equal((await client.fetch(`${API}/reports`)).status, 200, told())
  })

  test('a token that is bound to a key is accepted with its proof, and refused without', async () => {
    const guard = protect({ issuer, audience: API, onEvent })
    const client = sendTo(guard, { tokenEndpoint, dpop: true })
    assert.equal((await client.fetch(`${API}/reports`)).status, 200, told())
    const { accessToken } = await client.token()
    const bare = await guard(new Request(API, { headers: { Authorization: `Bearer ${accessToken}` } }))
    assert.equal(bare instanceof Response && bare.status, 401)
  })

  test('introspection sees that a token was revoked', async () => {
    const revocations = introspection({ clientId: 'reporting', clientSecret: SECRET })
    const client = sendTo(protect({ issuer, audience: API, onEvent, revocations }), { tokenEndpoint })
    assert.equal((await client.fetch(`${API}/reports`)).status, 200, told())
    const { accessToken } = await client.token()
    const body = new URLSearchParams({ token: accessToken, client_id: 'reporting', client_secret: SECRET })
    await fetch(`${issuer}/protocol/openid-connect/revoke`, { method: 'POST', body })
    const guard = protect({ issuer, audience: API, onEvent, revocations })
    const result = await guard(new Request(API, { headers: { Authorization: `Bearer ${accessToken}` } }))
    assert.equal(result instanceof Response && result.status, 401)
    const last = events.at(-1)
    assert.equal(last?.event === 'request_refused' && last.reason, 'token_inactive')
  })

  test('a token for another API is refused', async () => {
    const client = sendTo(protect({ issuer, audience: 'https://other.example', onEvent }), { tokenEndpoint })
    assert.equal((await client.fetch(`${API}/reports`)).status, 401)
  })
})
