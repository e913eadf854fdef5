/** A full server on faulty stores, and one request for each of its endpoints. */

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { generateKeyring } from '../../src/keys/keyring.ts'
import { createPreset } from '../../src/preset.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret, hashToken } from '../../src/secrets/hashes.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client, Jwk } from '../../src/types.ts'
import { type FaultyStores, faultyStores } from './faulty_stores.ts'
import { ISSUER, NOW } from './world.ts'

const OPERATOR = 'operator-token-operator-token-operator'
const RS = 'https://rs.example'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A store that does not answer is given up after this time. */
const GUARD_SECONDS = 0.05

const secret = generateSecret()
const keyed = await generateKeyPair('ES256', { extractable: true })
const proving = await generateKeyPair('ES256', { extractable: true })
const provingJwk = (await exportJWK(proving.publicKey)) as Jwk & { kty: string }
const keyring = await generateKeyring({ lifetimeSeconds: 3600 })
const may = { grant_types: ['client_credentials'], scope: 'read' }
const secrets = [{ id: '1', hash: await hashSecret(secret) }]

const clients: readonly Client[] = [
  { ...may, client_id: 'other', client_secrets: [{ id: '1', hash: await hashSecret(generateSecret()) }] },
  { ...may, client_id: 'reporting', client_secrets: secrets, introspection: true, resources: [RS] },
  {
    ...may,
    client_id: 'keyed',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [(await exportJWK(keyed.publicKey)) as Jwk] },
  },
]

type Fields = Readonly<Record<string, string>>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** Sends a request that was made beforehand, as often as it is called. */
export type Send = () => Promise<Answer>

export interface FaultyWorld {
  readonly state: { now: number }
  readonly stores: FaultyStores
  readonly events: ServerEvent[]
  send(path: string, init?: RequestInit): Promise<Answer>
  post(path: string, form: Fields, headers?: Fields): Promise<Answer>
  /** Sends a request with the operator's token. */
  operate(method: string, path: string, body?: object): Promise<Answer>
}

/** Creates the server; nothing goes wrong until its stores follow a plan. */
export async function createFaultyWorld(cacheSeconds = 0): Promise<FaultyWorld> {
  const state = { now: NOW }
  const events: ServerEvent[] = []
  const stores = faultyStores(memoryStores(() => state.now))
  for (const client of clients) await stores.registry.put(clientKey(client.client_id), clientRecord(client))
  await stores.registry.put(keyOf(RESOURCES, RS), toRecord({ resource: RS }))
  const { registry, ledger } = guardStores(stores, GUARD_SECONDS)
  const operatorTokenHash = await hashToken(OPERATOR)
  const emit = (event: ServerEvent): void => void events.push(event)
  const host = { now: () => state.now, fetch: () => Promise.reject(new Error('no network')) }
  const app = createPreset({ issuer: ISSUER, keyring, registry, ledger, operatorTokenHash, emit, cacheSeconds }, host)
  const send: FaultyWorld['send'] = async (path, init = {}) => {
    const response = await app.request(ISSUER + path, init)
    const text = new TextDecoder().decode(await response.arrayBuffer())
    const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>
    return { status: response.status, headers: response.headers, body }
  }
  const json = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
  return {
    ...{ state, stores, events, send },
    post: (path, form, headers = {}) => send(path, { method: 'POST', body: new URLSearchParams(form), headers }),
    operate: (method, path, body) =>
      send(path, { method, headers: json, ...(body !== undefined && { body: JSON.stringify(body) }) }),
  }
}

const AS = { client_id: 'reporting', client_secret: secret }
const GRANT = { grant_type: 'client_credentials' }

/** Requests a token by a secret. */
export function requestToken({ post }: FaultyWorld, more: Fields = {}, headers: Fields = {}): Promise<Answer> {
  return post('/token', { ...GRANT, ...AS, ...more }, headers)
}

export function introspect({ post }: FaultyWorld, token: string): Promise<Answer> {
  return post('/introspect', { ...AS, token })
}

export function revoke({ post }: FaultyWorld, token: string): Promise<Answer> {
  return post('/revoke', { ...AS, token })
}

/** Returns a request whose client assertion is good once. */
export async function onceByAssertion(world: FaultyWorld): Promise<Send> {
  const claims = { iss: 'keyed', sub: 'keyed', aud: ISSUER, exp: world.state.now + 600, jti: crypto.randomUUID() }
  const client_assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(keyed.privateKey)
  return () => world.post('/token', { ...GRANT, client_assertion, client_assertion_type: ASSERTION_TYPE })
}

/** Returns a request whose DPoP proof is good once. */
export async function onceByProof(world: FaultyWorld): Promise<Send> {
  const claims = { htm: 'POST', htu: `${ISSUER}/token`, iat: world.state.now, jti: crypto.randomUUID() }
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: provingJwk }
  const DPoP = await new SignJWT(claims).setProtectedHeader(header).sign(proving.privateKey)
  return () => requestToken(world, {}, { DPoP })
}

/**
 * Returns one request for each endpoint, by its name.
 *
 * @param round makes the names of what they create
 * @param token to introspect and to revoke
 */
export async function everyEndpoint(
  world: FaultyWorld,
  round: number,
  token: string,
): Promise<ReadonlyMap<string, Send>> {
  const { send, operate } = world
  const ofResource = `/resources/${encodeURIComponent(`urn:example:${round}`)}`
  return new Map<string, Send>([
    ['token', () => requestToken(world)],
    ['token by an assertion', await onceByAssertion(world)],
    ['token by a proof', await onceByProof(world)],
    ['introspect', () => introspect(world, token)],
    ['revoke', () => revoke(world, token)],
    ['revocations', () => send('/revocations')],
    ['cut', () => operate('POST', '/revocations', { client_id: 'other' })],
    ['register', () => operate('POST', '/register', {})],
    ['list clients', () => operate('GET', '/register')],
    ['read a client', () => operate('GET', '/register/reporting')],
    ['create a client', () => operate('PUT', `/register/made-${round}`, {})],
    ['rotate a secret', () => operate('POST', `/register/rotated-${round}/secrets`, {})],
    ['delete a client', () => operate('DELETE', `/register/deleted-${round}`)],
    ['list resource servers', () => operate('GET', '/resources')],
    ['create a resource server', () => operate('PUT', ofResource, { scope: 'read' })],
    ['list issuers', () => operate('GET', '/issuers')],
    ['readiness', () => send('/readyz')],
    ['liveness', () => send('/livez')],
    ['page', () => send('/', { headers: { Accept: 'text/html' } })],
    ['keys', () => send('/.well-known/jwks.json')],
    ['metadata', () => send('/.well-known/oauth-authorization-server')],
    ['openapi', () => send('/openapi.json')],
  ])
}

/** Creates what the requests of a round change. */
export async function prepareRound({ operate }: FaultyWorld, round: number): Promise<void> {
  for (const name of ['rotated', 'deleted']) await operate('PUT', `/register/${name}-${round}`, {})
}
