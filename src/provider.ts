/** Puts features together to a Hono app; which features, the caller decides. */

import { Hono } from 'hono'
import type { Connection, FindCertificate } from './certificates/client_cert.ts'
import { cacheClients } from './clients/cache.ts'
import { readClients } from './clients/registry.ts'
import { formOnly } from './endpoints/form_request.ts'
import { jwks } from './endpoints/jwks.ts'
import { refuse } from './endpoints/respond.ts'
import { token } from './endpoints/token.ts'
import type { Emit } from './events/events.ts'
import type { Keyring } from './keys/keyring.ts'
import type { AccessTokenProfile } from './tokens/access_token.ts'
import type { ClientAuth, Context, Grant, Registry } from './types.ts'

export interface Features {
  /** Issuer identifier; or, where it follows the request, a function of the request's URL. */
  readonly issuer: string | ((url: string) => string)
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: readonly Grant[]
  readonly registry: Registry
  /** Seconds for which a client read from the registry is taken for fresh; 0 reads it each time. */
  readonly clientCacheSeconds: number
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

/**
 * Builds the provider. It can be served as it is or mounted with `app.route()`.
 *
 * @throws TypeError when two features bear one name, or none of a kind is there
 */
export function createProvider(features: Features): Hono<{ Bindings: Connection }> {
  const { issuer, now, emit, keyring } = features
  byName('clientAuth', features.clientAuth, ({ method }) => method)
  const parts = {
    findCertificate: async () => undefined,
    ...features,
    grants: byName('grants', features.grants, ({ grantType }) => grantType),
    findClient: cacheClients(readClients(features.registry), { freshSeconds: features.clientCacheSeconds, now, emit }),
  }
  const issuerOf = typeof issuer === 'string' ? () => issuer : issuer

  const app = new Hono<{ Bindings: Connection }>()
  app.onError((error, c) => refuse(c, error, emit))
  app.use('/token', ...formOnly)
  app.all('/token', (c) => token(c, contextOf(issuerOf(c.req.url), now()), parts))
  app.get('/.well-known/jwks.json', () => jwks(keyring))
  return app
}

function contextOf(issuer: string, now: number): Context {
  return { issuer, tokenEndpoint: `${issuer.replace(/\/$/, '')}/token`, now }
}

function byName<T>(kind: string, features: readonly T[], name: (feature: T) => string): ReadonlyMap<string, T> {
  const named = new Map(features.map((feature) => [name(feature), feature]))
  if (named.size === 0) throw new TypeError(`createProvider: ${kind} is empty`)
  if (named.size < features.length) throw new TypeError(`createProvider: ${kind} holds two features of one name`)
  return named
}
