/** Assertions as authorization grants, presented by oauth4webapi: genuine tokens of an issuer, and an identity assertion. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import {
  allowInsecureRequests,
  ClientSecretPost,
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
} from 'oauth4webapi'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'
import { makePair, signToken, TOKEN_EXCHANGE, TOKEN_TYPE } from '../support/federation.ts'
import { trust } from './prove.ts'
import { audited, ISSUER, operate, SERVER, type Started } from './servers.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ENTERPRISE = 'https://enterprise.example'
const API = 'https://api.example'
const SECRET = generateSecret()
const pair = await makePair('ES256', 'one')

/** What is presented, and what becomes of it. */
export interface Assertions {
  readonly issuer: string
  /** The members of the issuer's record. */
  readonly record: Readonly<Record<string, unknown>>
  readonly good: string
  readonly subject: string
  readonly bad: readonly (readonly [name: string, assertion: string, reason: string])[]
}

function signIdJag(client_id: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: ENTERPRISE, sub: 'ada', aud: ISSUER, client_id, scope: 'read', resource: API }
  const times = { iat: now, exp: now + 300, jti: crypto.randomUUID() }
  return signToken({ alg: 'ES256', kid: 'one', typ: 'oauth-id-jag+jwt' }, { ...claims, ...times }, pair.privateKey)
}

async function setUp(server: Started, { issuer, record }: Assertions): Promise<void> {
  await trust(server, issuer, { ...record, uses: ['client_authentication', 'jwt_bearer'] })
  await trust(server, ENTERPRISE, { jwks: { keys: [pair.publicJwk] }, uses: ['id_jag'] })
  await operate(server, 'PUT', `/resources/${encodeURIComponent(API)}`, {})
  const usual = {
    scope: 'read',
    default_scope: 'read',
    resources: [API],
    client_secrets: [{ id: 'one', hash: await hashSecret(SECRET) }],
  }
  const assertion_issuers = [issuer, ENTERPRISE]
  await operate(server, 'PUT', '/register/agent', { ...usual, grant_types: [GRANT], assertion_issuers })
  await operate(server, 'PUT', '/register/api', {
    ...usual,
    grant_types: [TOKEN_EXCHANGE],
    token_exchange: { as: [API] },
  })
  server.settle()
}

/** Adds the tests to those of a platform. */
export function presentAssertions(started: () => Started, assertions: Assertions): void {
  const client = { client_id: 'agent' }
  const options = { [allowInsecureRequests]: true }
  const request = (client_id: string, grant: string, form: Record<string, string>) => {
    const server = { ...SERVER, token_endpoint: `${started().origin}/token` }
    return genericTokenEndpointRequest(server, { client_id }, ClientSecretPost(SECRET), grant, form, options)
  }
  const get = async (client_id: string, grant: string, form: Record<string, string>) => {
    const response = await request(client_id, grant, form)
    const { access_token } = await processGenericTokenEndpointResponse(SERVER, { client_id }, response)
    return access_token
  }
  const verify = async (token: string): Promise<JWTPayload> => {
    const keys = createRemoteJWKSet(new URL(`${started().origin}/.well-known/jwks.json`))
    return (await jwtVerify(token, keys, { issuer: ISSUER, typ: 'at+jwt' })).payload
  }

  test('accepts a genuine assertion, also again', async () => {
    await setUp(started(), assertions)
    for (let index = 0; index < 2; index++) {
      const { sub, client_id } = await verify(await get('agent', GRANT, { assertion: assertions.good }))
      assert.deepEqual([sub, client_id], [`${assertions.issuer}|${assertions.subject}`, 'agent'])
    }
  })

  for (const [name, assertion, reason] of assertions.bad) {
    test(`refuses as an assertion ${name}`, async () => {
      const [response, line] = await audited(started(), () => request('agent', GRANT, { assertion }))
      const text = 'The assertion is not acceptable.'
      assert.deepEqual(await response.json(), { error: 'invalid_grant', error_description: text })
      assert.deepEqual([response.status, line['reason']], [400, reason])
    })
  }

  test('accepts an identity assertion of this client alone, and passes its token on', async () => {
    const token = await get('agent', GRANT, { assertion: await signIdJag('agent') })
    const { sub, aud, scope } = await verify(token)
    assert.deepEqual([sub, aud, scope], [`${ENTERPRISE}|ada`, API, 'read'])
    const form = { subject_token: token, subject_token_type: `${TOKEN_TYPE}access_token`, resource: API }
    const passed = await verify(await get('api', TOKEN_EXCHANGE, form))
    assert.deepEqual([passed.sub, passed['act']], [sub, { sub: 'api', act: { sub: client.client_id } }])
    const assertion = await signIdJag('api')
    const [response, line] = await audited(started(), () => request('agent', GRANT, { assertion }))
    assert.deepEqual([response.status, line['reason']], [400, 'assertion_client_wrong'])
  })
}
