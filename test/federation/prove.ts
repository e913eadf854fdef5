/** What is shown of each platform on each runtime: a client gets a token with genuine tokens of the platform, and with no others. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { type ClientAuth, processClientCredentialsResponse } from 'oauth4webapi'
import { SKEW_SECONDS } from '../../src/assertions/verify.ts'
import type { AssertionReason } from '../../src/reasons.ts'
import type { FederatedCredential } from '../../src/types.ts'
import { JWT_BEARER, JWT_SPIFFE } from '../support/federation.ts'
import { ask, audited, ISSUER, operate, RUNTIMES, SERVER, type Started } from './servers.ts'

export type Accepted = readonly [name: string, token: string]
export type Refused = readonly [name: string, token: string, reason: AssertionReason]

export interface Platform {
  readonly issuer: string
  /** The members of the issuer's record. */
  readonly record: Readonly<Record<string, unknown>>
  readonly method: 'federated_jwt' | 'spiffe_jwt'
  readonly claims: FederatedCredential['claims']
  readonly accepted: readonly Accepted[]
  readonly refused: readonly Refused[]
}

const CLIENT = 'deployer'

/** Describes the platform on each runtime. `more` adds tests of its own. */
export function prove(name: string, platform: Platform, more: (started: () => Started) => void = () => {}): void {
  for (const [runtime, start] of Object.entries(RUNTIMES)) {
    describe(`${name}, ${runtime}`, () => {
      let server: Started
      before(async () => {
        server = await start()
        await setUp(server, platform)
      })
      after(() => server.stop())

      for (const [what, token] of platform.accepted)
        test(`accepts ${what}`, () => requireAccepted(server, platform, token))
      for (const [what, token, reason] of platform.refused)
        test(`refuses ${what}`, () => requireRefused(server, platform, token, reason))
      more(() => server)
    })
  }
}

/** Trusts the issuer, and registers a client with one federated credential. */
async function setUp(server: Started, { issuer, record, method, claims }: Platform): Promise<void> {
  await trust(server, issuer, record)
  await operate(server, 'PUT', `/register/${CLIENT}`, { token_endpoint_auth_method: method, scope: 'deploy' })
  await operate(server, 'POST', `/register/${CLIENT}/federated_credentials`, { issuer, claims })
}

/** Registers the issuer, or replaces its record. */
export async function trust(server: Started, issuer: string, record: Platform['record']): Promise<void> {
  await operate(server, 'PUT', `/issuers/${encodeURIComponent(issuer)}`, record)
  server.settle()
}

/** The client authentication of oauth4webapi with a token of a platform. */
function withPlatformToken({ method }: Pick<Platform, 'method'>, token: string): ClientAuth {
  return (_server, { client_id }, body) => {
    body.set('client_id', client_id)
    body.set('client_assertion_type', method === 'spiffe_jwt' ? JWT_SPIFFE : JWT_BEARER)
    body.set('client_assertion', token)
  }
}

/** Gets a token, which the published keys verify, and which is about the client. */
export async function requireAccepted(
  server: Started,
  platform: Pick<Platform, 'method' | 'issuer'>,
  token: string,
): Promise<void> {
  const [response, line] = await audited(server, () => ask(server, CLIENT, withPlatformToken(platform, token)))
  assert.equal(response.status, 200, JSON.stringify(line))
  const { access_token } = await processClientCredentialsResponse(SERVER, { client_id: CLIENT }, response)
  const keys = createRemoteJWKSet(new URL(`${server.origin}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(access_token, keys, { issuer: ISSUER, audience: ISSUER, typ: 'at+jwt' })
  assert.deepEqual([payload.sub, payload['client_id'], payload['scope']], [CLIENT, CLIENT, 'deploy'])
  assert.equal(line['assertion_iss'], platform.issuer)
}

/** Is refused with the one text of the wire, and with this reason in the audit log. */
export async function requireRefused(
  server: Started,
  platform: Pick<Platform, 'method'>,
  token: string,
  reason: AssertionReason,
): Promise<void> {
  const [response, line] = await audited(server, () => ask(server, CLIENT, withPlatformToken(platform, token)))
  const text = 'Client authentication failed.'
  assert.deepEqual(await response.json(), { error: 'invalid_client', error_description: text })
  assert.deepEqual([response.status, line['reason']], [401, reason])
}

/** Waits until a token has expired for servers, whose clocks may be late. */
export async function untilExpired(token: string): Promise<void> {
  const { exp = 0 } = decodeJwt(token)
  await setTimeout((exp + SKEW_SECONDS + 1) * 1000 - Date.now())
}
