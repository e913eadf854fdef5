/** Puts features together: checks the list, wires the endpoints, gives a Hono app. */

import { Hono, type Context as HonoContext } from 'hono'
import { ASSERTION_ALGORITHMS } from './assertions/algorithms.ts'
import type { Connection, FindCertificate } from './certificates/client_cert.ts'
import { CLIENTS } from './clients/registry.ts'
import { formOnly } from './endpoints/form_request.ts'
import { introspect } from './endpoints/introspect.ts'
import { jwks } from './endpoints/jwks.ts'
import { metadata } from './endpoints/metadata.ts'
import { publicDocument, publicJson } from './endpoints/public_document.ts'
import { register } from './endpoints/register.ts'
import { resources } from './endpoints/resources.ts'
import { refuse } from './endpoints/respond.ts'
import { cutTokens, revocationList } from './endpoints/revocations.ts'
import { revoke } from './endpoints/revoke.ts'
import { token } from './endpoints/token.ts'
import { unsupportedResponseType } from './errors.ts'
import type { Emit } from './events/events.ts'
import type { Keyring } from './keys/keyring.ts'
import { limitRate } from './policy/rate_limit.ts'
import { type Cache, cacheRecords } from './records/cache.ts'
import { observeWrites } from './records/change.ts'
import { type FindRecord, type RecordKind, readRecords } from './records/records.ts'
import { DEFAULT_RESOURCE, RESOURCES, resourcesFrom } from './resources/registry.ts'
import { scopesOf } from './resources/scopes.ts'
import type { Ledger, Registry } from './stores/contracts.ts'
import type { AccessTokenProfile } from './tokens/access_token.ts'
import { revocations } from './tokens/revocations.ts'
import type { ClientAuth, Confirmation, Context, Grant } from './types.ts'

export interface Features {
  /** Issuer identifier; or, where it follows the request, a function of the request's URL. */
  readonly issuer: string | ((url: string) => string)
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: readonly Grant[]
  readonly confirmations?: readonly Confirmation[]
  readonly registry: Registry
  /** Where revocations are; absent: tokens cannot be revoked nor introspected. */
  readonly ledger?: Ledger | undefined
  /** Introspections of one caller a minute, in a process or isolate; 0 for any number. */
  readonly introspectionsPerMinute?: number
  /** Of the operator's token; absent: there is no `/register` and no `/resources`. */
  readonly operatorTokenHash?: string | undefined
  /** Seconds for which a record read from the registry is taken for fresh; 0 reads it each time. */
  readonly cacheSeconds: number
  /** Absent: no certificate is looked for. */
  readonly findCertificate?: FindCertificate
  readonly keyring: Keyring
  readonly accessTokenProfile: AccessTokenProfile
  /** Seconds. */
  readonly accessTokenLifetime: number
  readonly emit: Emit
  /** The clock: epoch seconds, whole. */
  now(): number
}

/** Where the endpoints are below the issuer, by the member of the metadata that names each. */
const ENDPOINTS = {
  authorization_endpoint: '/authorize',
  token_endpoint: '/token',
  jwks_uri: '/.well-known/jwks.json',
} as const

/** Where there is a ledger. */
const DENIAL = {
  revocation_endpoint: '/revoke',
  introspection_endpoint: '/introspect',
  revocations_uri: '/revocations',
} as const

/** Where there is an operator's token. */
const MANAGEMENT = { registration_endpoint: '/register' } as const
const RESOURCE_SERVERS = '/resources'

const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'] as const

/**
 * Builds the provider. It can be served as it is or mounted with `app.route()`. Where the issuer has a path, the endpoints
 * are below it as well as at the root, for proxies that take it away.
 *
 * @throws TypeError when two features bear one name, or none of a kind is there
 */
export function createProvider(features: Features): Hono<{ Bindings: Connection }> {
  const { issuer, emit } = features
  const parts = toParts(features)
  const issuerOf = typeof issuer === 'string' ? () => issuer : issuer
  const path = typeof issuer === 'string' ? new URL(issuer).pathname.replace(/\/$/, '') : ''

  const app = new Hono<{ Bindings: Connection }>()
  app.onError((error, c) => refuse(c, error, emit))
  const endpoints = mount(parts, issuerOf)
  for (const base of new Set(['/', path || '/'])) app.route(base, endpoints)
  for (const place of METADATA.flatMap((each) => [each, each + path, path + each])) {
    app.get(place, ...publicDocument, async (c) => {
      // They are a service to readers; discovery itself must not hang on the registry.
      const scopes = await parts.findScopes('supported').catch(() => undefined)
      return publicJson(metadata(issuerOf(c.req.url), scopes ?? [], parts))
    })
  }
  return app
}

/** The endpoints below the issuer. */
function mount(parts: Parts, issuerOf: (url: string) => string): Hono<{ Bindings: Connection }> {
  const { now, operatorTokenHash, denial } = parts
  const app = new Hono<{ Bindings: Connection }>()
  const contextOf =
    ({ req }: HonoContext) =>
    (): Context => {
      const issuer = issuerOf(req.url)
      return { issuer, tokenEndpoint: below(issuer, ENDPOINTS.token_endpoint), now: now() }
    }
  app.use(ENDPOINTS.token_endpoint, ...formOnly)
  app.all(ENDPOINTS.token_endpoint, (c) => token(c, contextOf(c), parts))
  app.get(ENDPOINTS.jwks_uri, ...publicDocument, () => jwks(parts.keyring, now()))
  app.all(ENDPOINTS.authorization_endpoint, () => {
    throw unsupportedResponseType()
  })
  if (denial !== undefined) {
    const more = { ...parts, ...denial }
    const list = revocationList(more)
    for (const form of [DENIAL.revocation_endpoint, DENIAL.introspection_endpoint]) app.use(form, ...formOnly)
    app.all(DENIAL.revocation_endpoint, (c) => revoke(c, contextOf(c), more))
    app.all(DENIAL.introspection_endpoint, (c) => introspect(c, contextOf(c), more))
    app.get(DENIAL.revocations_uri, ...publicDocument, (c) => list(issuerOf(c.req.url)))
  }
  if (operatorTokenHash !== undefined) {
    const registrationUrl = (url: string): string => below(issuerOf(url), MANAGEMENT.registration_endpoint)
    const managed = { ...toManaged(parts), operatorTokenHash, registrationUrl, revocations: denial?.revocations }
    app.route(MANAGEMENT.registration_endpoint, register(managed)).route(RESOURCE_SERVERS, resources(managed))
    if (denial !== undefined) app.route(DENIAL.revocations_uri, cutTokens(managed, denial.revocations))
  }
  return app
}

type Parts = ReturnType<typeof toParts>

/** What the endpoints work with. */
function toParts(features: Features) {
  const { registry, cacheSeconds: freshSeconds, now, emit } = features
  const caches = new Map<string, Cache<unknown>>()
  const cache = <T>(prefix: string, read: FindRecord<T>): FindRecord<T> => {
    const made = cacheRecords(read, { prefix, freshSeconds, now, emit })
    caches.set(prefix, made)
    return made.find
  }
  const find = <T>(kind: RecordKind<T>): FindRecord<T> => cache(kind.prefix, readRecords(registry, kind))
  const findResource = find(RESOURCES)
  const readRole = readRecords(registry, DEFAULT_RESOURCE)
  const findRole = cache(DEFAULT_RESOURCE.prefix, async (id) => ({ holder: await readRole(id) }))
  byName('clientAuth', features.clientAuth, ({ method }) => method)
  if (features.confirmations !== undefined) byName('confirmations', features.confirmations, ({ method }) => method)
  return {
    confirmations: [],
    findCertificate: async () => undefined,
    ...features,
    grants: byName('grants', features.grants, ({ grantType }) => grantType),
    findClient: find(CLIENTS),
    resources: resourcesFrom(findResource, findRole),
    /** What is written through it counts at once, here. */
    registry: observeWrites(registry, (key) => {
      const [, prefix = '', id = ''] = /^([^:]*):(.*)$/s.exec(key) ?? []
      caches.get(prefix)?.forget(id)
    }),
    findScopes: cache('scopes', () => scopesOf(registry, findResource)),
    denial: features.ledger && {
      revocations: revocations(features.ledger, features.accessTokenLifetime),
      limitRate: limitRate(features.introspectionsPerMinute ?? 0),
    },
    endpoints: {
      ...ENDPOINTS,
      ...(features.ledger !== undefined && DENIAL),
      ...(features.operatorTokenHash !== undefined && MANAGEMENT),
    },
  }
}

/** What the endpoints of operators work with. */
function toManaged({ registry, emit, now, grants, clientAuth, keyring }: Parts) {
  const offer = {
    grantTypes: [...grants.keys()],
    authMethods: clientAuth.map(({ method }) => method),
    signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
  }
  return { registry, emit, now, offer, signingAlgs: keyring.algorithms }
}

function below(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path
}

function byName<T>(kind: string, features: readonly T[], name: (feature: T) => string): ReadonlyMap<string, T> {
  const named = new Map(features.map((feature) => [name(feature), feature]))
  if (named.size === 0) throw new TypeError(`createProvider: ${kind} is empty`)
  if (named.size < features.length) throw new TypeError(`createProvider: ${kind} holds two features of one name`)
  return named
}
