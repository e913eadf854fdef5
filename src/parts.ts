/** The features that somebody lists, checked and made into what the endpoints work with. */

import { ASSERTION_ALGORITHMS } from './assertions/algorithms.ts'
import type { FindCertificate } from './certificates/client_cert.ts'
import { CLIENTS } from './clients/registry.ts'
import type { ResourcesParts } from './endpoints/resources.ts'
import type { TokenParts } from './endpoints/token.ts'
import type { Emit } from './events/events.ts'
import type { Keyring } from './keys/keyring.ts'
import { type LimitRate, limitRate } from './policy/rate_limit.ts'
import { type Cache, cacheRecords, STALE_SECONDS } from './records/cache.ts'
import { observeWrites } from './records/change.ts'
import { type FindRecord, type RecordKind, readRecords } from './records/records.ts'
import { DEFAULT_RESOURCE, RESOURCES, resourcesFrom } from './resources/registry.ts'
import { scopesOf } from './resources/scopes.ts'
import type { Ledger, Registry } from './stores/contracts.ts'
import type { AccessTokenProfile } from './tokens/access_token.ts'
import { type Revocations, revocations } from './tokens/revocations.ts'
import type { ClientAuth, Confirmation, Grant } from './types.ts'

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
export const ENDPOINTS = {
  authorization_endpoint: '/authorize',
  token_endpoint: '/token',
  jwks_uri: '/.well-known/jwks.json',
} as const

/** Where there is a ledger. */
export const DENIAL = {
  revocation_endpoint: '/revoke',
  introspection_endpoint: '/introspect',
  revocations_uri: '/revocations',
} as const

/** Where there is an operator's token. */
export const MANAGEMENT = { registration_endpoint: '/register' } as const
export const RESOURCE_SERVERS = '/resources'

/** What denies tokens, where there is a ledger. */
export interface Denial {
  readonly revocations: Revocations
  readonly limitRate: LimitRate
}

/** What the endpoints work with. */
export interface Parts extends TokenParts {
  readonly registry: Registry
  readonly operatorTokenHash: string | undefined
  readonly denial: Denial | undefined
  /** Any id gives the scopes there are. */
  readonly findScopes: FindRecord<readonly string[]>
  /** Paths of what is mounted, by the member of the metadata that names each. */
  readonly endpoints: Readonly<Record<string, string>>
  now(): number
}

/** Checks the list and makes what it takes. */
export function toParts(features: Features): Parts {
  const { registry, cacheSeconds, now, emit } = features
  const caches = new Map<string, Cache<unknown>>()
  const cache = <T>(prefix: string, read: FindRecord<T>): FindRecord<T> => {
    const made = cacheRecords(read, { prefix, freshSeconds: cacheSeconds, now, emit })
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
    operatorTokenHash: features.operatorTokenHash,
    denial: features.ledger && {
      revocations: revocations(features.ledger, {
        lifetimeSeconds: features.accessTokenLifetime,
        staleSeconds: (registry.lagSeconds ?? 0) + cacheSeconds + STALE_SECONDS,
      }),
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
export function toManaged(
  { registry, emit, now, grants, clientAuth, keyring, denial }: Parts,
  operatorTokenHash: string,
  registrationUrl: (url: string) => string,
): ResourcesParts {
  const offer = {
    grantTypes: [...grants.keys()],
    authMethods: clientAuth.map(({ method }) => method),
    signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
  }
  const { revocations } = denial ?? {}
  return {
    registry,
    emit,
    now,
    offer,
    operatorTokenHash,
    registrationUrl,
    revocations,
    signingAlgs: keyring.algorithms,
  }
}

function byName<T>(kind: string, features: readonly T[], name: (feature: T) => string): ReadonlyMap<string, T> {
  const named = new Map(features.map((feature) => [name(feature), feature]))
  if (named.size === 0) throw new TypeError(`createProvider: ${kind} is empty`)
  if (named.size < features.length) throw new TypeError(`createProvider: ${kind} holds two features of one name`)
  return named
}
