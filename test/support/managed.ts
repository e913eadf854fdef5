/** A provider with every method of authentication and an operator, its clock in the hand of the test. */

import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { selfSignedTlsClientAuth } from '../../src/authentication/self_signed_tls_client_auth.ts'
import { tlsClientAuth } from '../../src/authentication/tls_client_auth.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import type { CustomReason, Reason } from '../../src/reasons.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW, type World } from './world.ts'

export const OPERATOR = 'operator-token-operator-token-op'
const JSON_TYPE = { 'Content-Type': 'application/json' }

export type Answer = Record<string, unknown> & {
  client_id: string
  client_secret: string
  registration_access_token: string
}
export interface Sending {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly answer: Answer
  /** Of the last event, if that is a refusal. */
  readonly reason: Reason | CustomReason | undefined
  readonly etag: string
}

export interface Managed {
  readonly state: { now: number }
  /** Sends a request, the operator's token with it unless another is given; an empty one is left out. */
  send(method: string, path: string, sending?: Sending): Promise<Sent>
  /** Asks for a token and returns the status. */
  grant(client_id: string, client_secret: string): Promise<number>
  readonly app: World['app']
  readonly events: ServerEvent[]
  readonly registry: Registry
}

export async function createManaged({
  registry = memoryStores(() => NOW).registry,
}: {
  registry?: Registry
} = {}): Promise<Managed> {
  const state = { now: NOW }
  const { ledger } = memoryStores(() => NOW)
  const keys = remoteKeys({ fetch: () => Promise.reject(new Error('no network')), now: () => NOW })
  const { app, events } = await createWorld({
    registry,
    clientAuth: [
      clientSecretBasic(),
      clientSecretPost(),
      privateKeyJwt({ ledger, remoteKeys: keys, maxLifetimeSeconds: 60 }),
      tlsClientAuth(),
      selfSignedTlsClientAuth(keys),
    ],
    operatorTokenHash: await hashToken(OPERATOR),
    now: () => state.now,
  })
  const send: Managed['send'] = async (method, path, { token = OPERATOR, body, headers = {} } = {}) => {
    const response = await app.request(ISSUER + path, {
      method,
      headers: {
        ...(token !== '' && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && JSON_TYPE),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const event = events.at(-1)
    const reason = event?.event === 'request_refused' ? event.reason : undefined
    const answer = (text === '' ? {} : JSON.parse(text)) as Answer
    return {
      status: response.status,
      headers: response.headers,
      answer,
      reason,
      etag: response.headers.get('ETag') ?? '',
    }
  }
  const grant: Managed['grant'] = async (client_id, client_secret) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
    return (await app.request(`${ISSUER}/token`, { method: 'POST', body })).status
  }
  return { state, send, grant, app, events, registry }
}
