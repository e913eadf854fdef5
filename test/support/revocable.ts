/** A world with a ledger: tokens can be introspected, revoked and denied, and the clock can be moved. */

import assert from 'node:assert/strict'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import type { Ledger } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { textOf } from './body.ts'
import { clients, createWorld, ISSUER, NOW, resourceServers, type World, type WorldOptions } from './world.ts'

const OPERATOR = 'operator-token-operator-token-op'
export const RS = 'https://rs.example'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON body; empty for another. */
  readonly answer: Readonly<Record<string, unknown>>
  /** Of the refusal, if the last event is one. */
  readonly reason: string | undefined
}

type Fields = Readonly<Record<string, string>>

export interface Revocable extends World {
  readonly state: { now: number }
  readonly ledger: Ledger
  post(path: string, form: Fields, headers?: Fields): Promise<Answer>
  as(client_id: string): Fields
  grant(more?: Fields, client_id?: string, headers?: Fields): Promise<string>
  introspect(token: string, client_id?: string, headers?: Fields): Promise<Answer>
  revoke(token: string, client_id?: string): Promise<Answer>
  isActive(token: string, client_id?: string): Promise<boolean>
  operate(method: string, path: string, body?: object): Promise<{ status: number; etag: string | null }>
}

/** @param state the clock, which several worlds can share as they can share stores */
export async function createRevocable(
  features: WorldOptions = {},
  state: { now: number } = { now: NOW },
): Promise<Revocable> {
  const memory = memoryStores(() => state.now)
  const { registry = memory.registry, ledger = memory.ledger } = features
  const all = await clients()
  const [testClient] = all
  assert.ok(testClient !== undefined)
  const more = [
    { ...testClient, client_id: 'rs', grant_types: [], introspection: true, resources: [RS] },
    { ...testClient, client_id: 'rs2', introspection: true, resources: ['https://rs2.example/v1'] },
    { ...testClient, client_id: 'inspector', introspection: true, scope: 'introspection read', resources: [RS] },
    { ...testClient, client_id: 'wildcard', scope: '*', resources: [RS] },
    { ...testClient, client_id: 'public', token_endpoint_auth_method: 'none', introspection: true, resources: [RS] },
    { ...testClient, client_id: 'no-flag', resources: [RS] },
  ]
  for (const client of [...all, ...more]) await registry.put(clientKey(client.client_id), clientRecord(client))
  for (const each of resourceServers) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
  const operatorTokenHash = await hashToken(OPERATOR)
  const world = await createWorld({
    clientAuth: [clientSecretPost()],
    confirmations: [dpop({ ledger })],
    operatorTokenHash,
    now: () => state.now,
    ...features,
    registry,
    ledger,
  })
  const post = async (path: string, form: Fields, headers: Fields = {}) => {
    const response = await world.app.request(ISSUER + path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
    })
    const text = await textOf(response)
    const event = world.events.at(-1)
    const reason = event?.event === 'request_refused' ? event.reason : undefined
    const isJson = response.headers.get('Content-Type')?.startsWith('application/json')
    const answer = (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>
    return { status: response.status, headers: response.headers, text, answer, reason }
  }
  const as = (client_id: string) => ({ client_id, client_secret: 'foobar' })
  const grant = async (more: Fields = { resource: RS }, client_id = 'test-client', headers: Fields = {}) => {
    const { answer } = await post('/token', { grant_type: 'client_credentials', ...as(client_id), ...more }, headers)
    return String(answer['access_token'])
  }
  const introspect = (token: string, client_id = 'rs', headers = {}) =>
    post('/introspect', { token, ...as(client_id) }, headers)
  const revoke = (token: string, client_id = 'test-client') => post('/revoke', { token, ...as(client_id) })
  const isActive = async (token: string, client_id = 'rs') =>
    (await introspect(token, client_id)).answer['active'] === true
  const operate = async (method: string, path: string, body?: object) => {
    const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
    const response = await world.app.request(ISSUER + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, etag: response.headers.get('ETag') }
  }
  return { ...world, state, ledger, post, as, grant, introspect, revoke, isActive, operate }
}
