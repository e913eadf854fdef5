/** A provider that trusts the issuers of platforms, their keys behind a stub of discovery, and clients with rules. */

import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'
import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { federatedJwt } from '../../src/authentication/federated_jwt.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { spiffeJwt } from '../../src/authentication/spiffe_jwt.ts'
import { CLIENTS, clientKey, clientRecord } from '../../src/clients/registry.ts'
import { clientCredentials } from '../../src/grants/client_credentials.ts'
import { jwtBearer } from '../../src/grants/jwt_bearer.ts'
import { tokenExchange } from '../../src/grants/token_exchange.ts'
import { issuerKeys } from '../../src/issuers/keys.ts'
import { fillIssuer, type GivenIssuer } from '../../src/issuers/presets.ts'
import { ISSUERS } from '../../src/issuers/registry.ts'
import { workloadVerifier } from '../../src/issuers/verify.ts'
import { grantVerifier } from '../../src/issuers/verify_grant.ts'
import { openRecords } from '../../src/records/open.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import type { Ledger, Registry, Stores } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client, FederatedCredential } from '../../src/types.ts'
import { createWorld, guarded, NOW, type World, type WorldOptions } from './world.ts'

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'

type Members = Readonly<Record<string, unknown>>

/** A key pair of an issuer for each algorithm that its tokens have. */
export interface IssuerPair {
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export async function makePair(alg: string, kid: string): Promise<IssuerPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid } }
}

/** Signs a platform token. Members that are undefined are left out. */
export function signToken(header: Members, claims: Members, key: CryptoKey): Promise<string> {
  const signer = new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
  return signer.setProtectedHeader(JSON.parse(JSON.stringify(header))).sign(key, {
    crit: { b64: true, 'http://example.invalid/UNDEFINED': true },
  })
}

/** Returns the credential of a rule set. */
export function credential(
  issuer: string,
  claims: FederatedCredential['claims'],
  more: Partial<FederatedCredential> = {},
): FederatedCredential {
  return { id: 'rule', issuer, claims, created_at: NOW, ...more }
}

export interface FederatedWorld extends World {
  readonly state: { now: number }
  /** What the issuers publish, by URL, and the URLs that were fetched. */
  readonly published: Map<string, object>
  readonly fetched: string[]
  /** The names of the store operations that write. */
  readonly writes: string[]
  /** Publishes the keys of an issuer by discovery. */
  publish(issuer: string, keys: readonly JWK[]): void
  put(client: Client): Promise<void>
  trust(issuer: GivenIssuer): Promise<void>
  send(client_assertion: string | undefined, more?: Readonly<Record<string, string>>, path?: string): Promise<Answered>
  /** Sends any form to `/token`. A parameter that is undefined is left out. */
  request(form: Members, headers?: Readonly<Record<string, string>>): Promise<Answered>
  /** Sends a token as the subject token of a token exchange. A parameter that is undefined is left out. */
  exchange(
    subject_token: string | undefined,
    more?: Readonly<Record<string, string | undefined>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answered>
}

export interface Answered {
  readonly status: number
  readonly reason: string | undefined
  readonly body: Members
  readonly event: World['events'][number] | undefined
}

const WRITES: readonly string[] = ['put', 'delete', 'replace', 'remove', 'add', 'count', 'raise']

export function counted<T extends Registry | Ledger>(store: T, writes: string[]): T {
  const entries = Object.entries(store).map(([name, operation]) => [
    name,
    (...values: unknown[]) => {
      if (WRITES.includes(name)) writes.push(name)
      return (operation as (...values: unknown[]) => unknown)(...values)
    },
  ])
  return Object.fromEntries(entries)
}

/** Builds a world without clients and issuers. */
export async function createFederated(
  given: Partial<Stores> & Pick<WorldOptions, 'tokenReuseSeconds' | 'confirmations'> = {},
): Promise<FederatedWorld> {
  const state = { now: NOW }
  const writes: string[] = []
  const stores = guarded(memoryStores(() => state.now))
  const registry = counted(given.registry ?? stores.registry, writes)
  const ledger = counted(given.ledger ?? stores.ledger, writes)
  const published = new Map<string, object>()
  const fetched: string[] = []
  const fetch = async (url: string): Promise<Response> => {
    fetched.push(url)
    const document = published.get(url)
    return document === undefined ? new Response('', { status: 404 }) : Response.json(document)
  }
  const now = (): number => state.now
  const keys = issuerKeys({ fetch, now })
  const records = openRecords(registry, { now })
  const verify = workloadVerifier({ findIssuer: records.find(ISSUERS), keys, ledger })
  const world = await createWorld({
    registry,
    ledger,
    issuerKeys: keys,
    clientAuth: [
      clientSecretBasic(),
      privateKeyJwt({ ledger, remoteKeys: remoteKeys({ fetch, now }) }),
      federatedJwt(verify),
      spiffeJwt(verify),
    ],
    grants: [
      clientCredentials(),
      tokenExchange(verify),
      jwtBearer({
        verify: grantVerifier({ findIssuer: records.find(ISSUERS), keys, ledger }),
        findClient: records.find(CLIENTS),
      }),
    ],
    now,
    ...(given.tokenReuseSeconds !== undefined && { tokenReuseSeconds: given.tokenReuseSeconds }),
    ...(given.confirmations && { confirmations: given.confirmations }),
  })
  const send: FederatedWorld['send'] = async (client_assertion, more = {}, path = '/token') => {
    const form = { grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, ...more }
    return post(client_assertion === undefined ? form : { ...form, client_assertion }, {}, path)
  }
  const exchange: FederatedWorld['exchange'] = async (subject_token, more = {}, headers = {}) => {
    const subject_token_type = `${TOKEN_TYPE}jwt`
    return post({ grant_type: TOKEN_EXCHANGE, subject_token, subject_token_type, ...more }, headers)
  }
  async function post(form: Members, headers: Readonly<Record<string, string>>, path = '/token'): Promise<Answered> {
    // JSON leaves out what is undefined.
    const body = new URLSearchParams(JSON.parse(JSON.stringify(form)))
    const response = await world.app.request(path, { method: 'POST', headers, body })
    const event = world.events.at(-1)
    const reason = event?.event === 'request_refused' ? event.reason : undefined
    const text = await response.text()
    return { status: response.status, reason, body: (text === '' ? {} : JSON.parse(text)) as Members, event }
  }
  return {
    ...world,
    state,
    published,
    fetched,
    writes,
    publish(issuer, jwks) {
      const place = `${issuer.replace(/\/$/, '')}/keys`
      published.set(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { issuer, jwks_uri: place })
      published.set(place, { keys: jwks })
    },
    put: (client) => registry.put(clientKey(client.client_id), clientRecord(client)),
    trust: (issuer) => registry.put(keyOf(ISSUERS, issuer.issuer), toRecord(fillIssuer(issuer))),
    request: (form, headers = {}) => post(form, headers),
    send,
    exchange,
  }
}

/** Returns a client that authenticates by its federated credentials. */
export function federatedClient(
  client_id: string,
  federated_credentials: readonly FederatedCredential[],
  more: Partial<Client> = {},
): Client {
  return {
    client_id,
    token_endpoint_auth_method: 'federated_jwt',
    grant_types: ['client_credentials', TOKEN_EXCHANGE],
    scope: 'read write',
    federated_credentials,
    ...more,
  }
}
