/** A provider whose clients exchange access tokens: a gateway, and services that call each other. */

import { decodeJwt } from 'jose'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { CLIENTS, clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { mtls } from '../../src/confirmations/mtls.ts'
import { clientCredentials } from '../../src/grants/client_credentials.ts'
import { tokenExchange } from '../../src/grants/token_exchange.ts'
import { generateKeyring } from '../../src/keys/keyring.ts'
import { keyOf, readRecords, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { type AccessTokenProfile, MAX_TOKEN_LIFETIME_SECONDS } from '../../src/tokens/access_token.ts'
import { activeTokens } from '../../src/tokens/active_token.ts'
import { revokedIn } from '../../src/tokens/revocations.ts'
import type { Client, ClientCertificate } from '../../src/types.ts'
import { counted, TOKEN_EXCHANGE, TOKEN_TYPE } from './federation.ts'
import { type Answer, createRevocable, type Revocable } from './revocable.ts'
import { clients, guarded, NOW, type WorldOptions } from './world.ts'

export const ACCESS_TOKEN: string = `${TOKEN_TYPE}access_token`

/** Returns the identifier of the resource server that a service is. */
export const api = (service: string): string => `https://${service}.example`

/** Each may call the next one. */
export const SERVICES: readonly string[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

export type Fields = Readonly<Record<string, string>>

/** The header that names the certificate of the connection by its thumbprint. */
export const CERTIFICATE = 'X-Certificate'

function certificateOf(thumbprint: string | null): ClientCertificate | undefined {
  if (thumbprint === null) return undefined
  const subjectAltNames = { dns: [], uri: [], ip: [], email: [] }
  return { thumbprint, isVerified: true, subject: '', subjectAltNames, notBefore: 0, notAfter: NOW * 2 }
}

export interface Exchanging extends Revocable {
  /** The names of the store operations that write. */
  readonly writes: string[]
  put(client: Client): Promise<void>
  /** Exchanges a token as a client. A parameter that is undefined is left out. */
  exchange(
    subject_token: string | undefined,
    client_id: string,
    more?: Readonly<Record<string, string | undefined>>,
    headers?: Fields,
  ): Promise<Answer>
  /** Does the same and returns the token; fails unless the exchange succeeds. */
  exchanged(subject_token: string, client_id: string, more?: Fields, headers?: Fields): Promise<string>
}

const GRANTS = { grant_types: ['client_credentials', TOKEN_EXCHANGE] }

/** The clients, all with the same secret. */
function exchangingClients(client_secrets: Client['client_secrets']): readonly Client[] {
  const secretive = { ...GRANTS, client_secrets, scope: 'read write' }
  const ofA = { as: [api('a')] }
  const services = SERVICES.map((service, index): Client => {
    const resources = SERVICES.slice(index, index + 2).map(api)
    return { ...secretive, client_id: service, resources, token_exchange: { as: [api(service)] } }
  })
  return [
    {
      ...secretive,
      client_id: 'gateway',
      scope: 'read write admin',
      default_scope: 'read write',
      resources: [api('a'), api('b'), 'urn:example:gone'],
      claims: { tenant: 't1' },
    },
    ...services,
    { ...secretive, client_id: 'strict', resources: [api('a')], token_exchange: { may_act: 'a' } },
    {
      ...secretive,
      client_id: 'wide',
      scope: 'read users.*',
      resources: [api('b')],
      token_exchange: { ...ofA, may_widen: 'users.*' },
    },
    { ...secretive, client_id: 'quiet', resources: [api('b')], token_exchange: { ...ofA, impersonation: true } },
    { ...secretive, client_id: 'bound', resources: [api('a')], dpop_bound_access_tokens: true },
    { ...secretive, client_id: 'certified', resources: [api('a')], tls_client_certificate_bound_access_tokens: true },
    { ...secretive, client_id: 'ungranted', grant_types: ['client_credentials'], token_exchange: ofA },
    { ...secretive, client_id: 'stranger', resources: [api('a'), api('b')] },
    { ...secretive, client_id: 'issuer-wide', token_exchange: { as: ['https://tokens.example'] } },
    { ...GRANTS, client_id: 'public', token_endpoint_auth_method: 'none', token_exchange: ofA },
    { ...secretive, client_id: 'inspector', introspection: true, resources: SERVICES.map(api) },
  ]
}

const keyring = generateKeyring({ lifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS })

/** Builds a world with resource servers and clients. */
export async function createExchanging(
  given: Pick<WorldOptions, 'grants' | 'keyring' | 'tokenReuseSeconds' | 'clientAuth'> & {
    readonly accessTokenProfile?: AccessTokenProfile
  } = {},
): Promise<Exchanging> {
  const state = { now: NOW }
  const writes: string[] = []
  const stores = guarded(memoryStores(() => state.now))
  const registry = counted(stores.registry, writes)
  const ledger = counted(stores.ledger, writes)
  const keys = given.keyring ?? (await keyring)
  const findActive = activeTokens({
    keyring: keys,
    findClient: readRecords(registry, CLIENTS),
    isRevoked: revokedIn(ledger),
  })
  const { grants = [] } = given
  const world = await createRevocable(
    {
      clientAuth: [clientSecretPost()],
      confirmations: [dpop({ ledger }), mtls()],
      findCertificate: async ({ headers }) => certificateOf(headers.get(CERTIFICATE)),
      cacheSeconds: 0,
      ...given,
      registry,
      ledger,
      keyring: keys,
      grants: [clientCredentials(), tokenExchange(async () => 'federation_no_rule', findActive), ...grants],
    },
    state,
  )
  const put: Exchanging['put'] = (client) => registry.put(clientKey(client.client_id), clientRecord(client))
  const [{ client_secrets } = {}] = await clients()
  for (const client of exchangingClients(client_secrets)) await put(client)
  const served = [...SERVICES.map((service) => ({ resource: api(service) })), { resource: api('brief') }]
  for (const each of served) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
  const exchange: Exchanging['exchange'] = (subject_token, client_id, more = {}, headers = {}) => {
    const tokens = { subject_token, subject_token_type: ACCESS_TOKEN }
    const form = { grant_type: TOKEN_EXCHANGE, ...tokens, ...world.as(client_id), ...more }
    // JSON leaves out what is undefined.
    return world.post('/token', JSON.parse(JSON.stringify(form)), headers)
  }
  writes.length = 0
  return {
    ...world,
    writes,
    put,
    exchange,
    async exchanged(subject_token, client_id, more, headers) {
      const { answer, reason } = await exchange(subject_token, client_id, more, headers)
      const token = answer['access_token']
      if (typeof token !== 'string') throw new Error(`refused: ${reason}`)
      return token
    },
  }
}

/** Returns the claims of a token. */
export function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  return decodeJwt(String(token))
}
