/** A provider in a small world of clients, its events kept, its clock still. */

import { hash } from 'bcrypt-ts/browser'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { clientCredentials } from '../../src/grants/client_credentials.ts'
import { type FixedKeyring, generateKeyring } from '../../src/keys/keyring.ts'
import { assemble, type Parts } from '../../src/preset.ts'
import { openRecords } from '../../src/records/open.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import type { Registry, Stores } from '../../src/stores/contracts.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { MAX_TOKEN_LIFETIME_SECONDS } from '../../src/tokens/access_token.ts'
import type { Client, ResourceServer } from '../../src/types.ts'

export const ISSUER = 'https://tokens.example'
export const NOW = 1_800_000_000

export interface World {
  readonly app: ReturnType<typeof assemble>
  readonly events: ServerEvent[]
  readonly keyring: FixedKeyring
  readonly registry: Registry
}

const LEAST_COST = 4
const secretOf = async (secret: string, prefix = '$2b$', expires_at = 0) => ({
  id: `${prefix}${secret.length}`,
  hash: (await hash(secret, LEAST_COST)).replace(/^\$2[aby]\$/, prefix),
  expires_at,
})

const mayAll = { grant_types: ['client_credentials'], scope: 'read write users.* api.*.list' }

/** `foobar`, made by OpenSSL's PBKDF2, in the form of Hydra. */
const PBKDF2_FOOBAR = '$pbkdf2-sha256$i=25000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$UJMLNFAtnTExyzAJ/ns/egKOEcV+ehIVpkGCh8zHVm4'

/** The clients that the cases name. */
export async function clients(): Promise<Client[]> {
  const foobar = [await secretOf('foobar')]
  const resources = [...resourceServers.map(({ resource }) => resource), 'urn:example:gone']
  return [
    { ...mayAll, client_id: 'test-client', client_secrets: foobar, resources },
    { ...mayAll, client_id: 'a', client_secrets: [await secretOf('foobar', '$2a$')] },
    { ...mayAll, client_id: 'y', client_secrets: [await secretOf('foobar', '$2y$')] },
    { ...mayAll, client_id: 'an:identifier', client_secrets: [await secretOf('some secure & non-standard secret')] },
    { ...mayAll, client_id: 'ünï'.normalize('NFC'), client_secrets: foobar },
    { ...mayAll, client_id: 'c+d%25', client_secrets: [await secretOf('p+q%3A:é')] },
    { ...mayAll, client_id: 'cc-basic', client_secrets: foobar, token_endpoint_auth_method: 'client_secret_basic' },
    { ...mayAll, client_id: 'cc-post', client_secrets: foobar, token_endpoint_auth_method: 'client_secret_post' },
    { ...mayAll, client_id: 'cc-jwt', client_secrets: foobar, token_endpoint_auth_method: 'private_key_jwt' },
    { ...mayAll, client_id: 'cc-none', token_endpoint_auth_method: 'none' },
    { client_id: 'cc-nogrant', client_secrets: foobar, scope: 'read' },
    { ...mayAll, client_id: 'cc-othergrant', client_secrets: foobar, grant_types: ['CLIENT_CREDENTIALS'] },
    { ...mayAll, client_id: 'cc-expired', client_secrets: [await secretOf('foobar', '$2b$', NOW)] },
    { ...mayAll, client_id: 'cc-lasts', client_secrets: [await secretOf('foobar', '$2b$', NOW + 1)] },
    {
      ...mayAll,
      client_id: 'cc-rotated',
      client_secrets: [await secretOf('new-foobar'), await secretOf('old-foobar')],
    },
    { ...mayAll, client_id: 'cc-disabled', client_secrets: foobar, disabled: true },
    { ...mayAll, client_id: 'cc-nosecret' },
    { ...mayAll, client_id: 'cc-md5', client_secrets: [{ id: '1', hash: '$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/' }] },
    { ...mayAll, client_id: 'cc-cut', client_secrets: [{ id: '1', hash: '$2b$04$tooShort' }] },
    { ...mayAll, client_id: 'cc-pbkdf2', client_secrets: [{ id: '1', hash: PBKDF2_FOOBAR }] },
    { ...mayAll, client_id: 'cc-short', client_secrets: foobar, access_token_lifetime: 60 },
    { ...mayAll, client_id: 'cc-long', client_secrets: foobar, access_token_lifetime: 999_999 },
    { ...mayAll, client_id: 'cc-default-rs2', client_secrets: foobar, default_scope: 'read write', resources },
    { ...mayAll, client_id: 'cc-default', client_secrets: foobar, default_scope: 'read write' },
    { ...mayAll, client_id: 'cc-default-beyond', client_secrets: foobar, default_scope: 'read admin' },
    { ...mayAll, client_id: 'cc-default-star', client_secrets: foobar, default_scope: 'users.*' },
    { ...mayAll, client_id: 'cc-star', client_secrets: foobar, scope: '*' },
    { ...mayAll, client_id: 'cc-noscope', client_secrets: foobar, scope: '' },
    { ...mayAll, client_id: '72', client_secrets: [await secretOf('x'.repeat(72))] },
  ]
}

/** The resource servers that the cases name; the first is nobody's default. */
export const resourceServers: readonly ResourceServer[] = [
  { resource: 'https://rs.example' },
  { resource: 'https://rs2.example/v1', scope: 'read users.*' },
  { resource: 'urn:example:rs' },
  { resource: 'urn:example:short', access_token_lifetime: 300 },
  { resource: 'urn:example:es384', signing_alg: 'ES384' },
  { resource: 'urn:example:ps256', signing_alg: 'PS256' },
]

const keys = generateKeyring({ lifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS })

export interface WorldOptions extends Partial<Omit<Parts, 'records' | 'keyring'>> {
  readonly keyring?: FixedKeyring
  readonly registry?: Registry
  readonly cacheSeconds?: number
}

/** Puts the guard on stores, as `createPreset` does. */
export function guarded(stores: Partial<Pick<Stores, 'registry' | 'ledger'>>): Stores {
  return guardStores({ ...memoryStores(() => NOW), ...stores }, 2)
}

/** Returns what happened, without the members that differ between requests. */
export function withoutCaller({ request_id, address, ...event }: ServerEvent): ServerEvent {
  return event
}

/** Builds a world; what is given replaces what it would have. */
export async function createWorld({ cacheSeconds = 30, ...features }: WorldOptions = {}): Promise<World> {
  const events: ServerEvent[] = []
  const registry = features.registry ?? memoryStores(() => NOW).registry
  const keyring = features.keyring ?? (await keys)
  if (features.registry === undefined) {
    for (const each of resourceServers) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
    for (const client of await clients()) await registry.put(clientKey(client.client_id), clientRecord(client))
    await registry.put(
      clientKey('cc-broken'),
      '{"schema":1,"client_id":"cc-broken","grant_types":"client_credentials"}',
    )
    await registry.put(clientKey('cc-nojson'), '{')
    await registry.put(clientKey('cc-swapped'), clientRecord({ client_id: 'test-client' }))
    await registry.put(clientKey('cc-zero'), '{"schema":1,"client_id":"cc-zero","access_token_lifetime":0}')
    await registry.put(clientKey('cc-future'), '{"schema":2,"client_id":"cc-future"}')
  }
  const { emit = (event: ServerEvent) => events.push(withoutCaller(event)), now = () => NOW } = features
  const stores = guarded({ registry, ...(features.ledger && { ledger: features.ledger }) })
  const app = assemble({
    isAtRoot: true,
    issuer: ISSUER,
    clientAuth: [clientSecretBasic(), clientSecretPost()],
    grants: [clientCredentials()],
    ...features,
    ledger: features.ledger && stores.ledger,
    records: openRecords(stores.registry, { freshSeconds: cacheSeconds, emit, now }),
    keyring,
    emit,
    now,
  })
  return { app, events, keyring, registry }
}
