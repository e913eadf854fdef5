/** Puts features together: checks the list, wires the endpoints, gives a Hono app. */

import { Hono, type Context as HonoContext } from 'hono'
import type { Connection } from './certificates/client_cert.ts'
import { introspect } from './endpoints/introspect.ts'
import { jwks } from './endpoints/jwks.ts'
import { metadata, openidMetadata } from './endpoints/metadata.ts'
import { refuseOtherMethods } from './endpoints/methods.ts'
import { openapi } from './endpoints/openapi.ts'
import { publicText, publish } from './endpoints/public_document.ts'
import { register } from './endpoints/register.ts'
import { resources } from './endpoints/resources.ts'
import { refuse } from './endpoints/respond.ts'
import { cutTokens, revocationList } from './endpoints/revocations.ts'
import { revoke } from './endpoints/revoke.ts'
import { token } from './endpoints/token.ts'
import { unsupportedResponseType } from './errors.ts'
import {
  DENIAL,
  ENDPOINTS,
  type Features,
  MANAGEMENT,
  type Parts,
  RESOURCE_SERVERS,
  toManaged,
  toParts,
} from './parts.ts'
import type { Context } from './types.ts'

/** Makes each document, by its path. */
const METADATA = {
  '/.well-known/oauth-authorization-server': metadata,
  '/.well-known/openid-configuration': openidMetadata,
} as const

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
  const paths = new Set(endpoints.routes.map((route) => route.path))
  const describe = openapi((each) => paths.has(toRoute(each)))
  publish(endpoints, '/openapi.json', (c) => describe(issuerOf(c.req.url)))
  for (const base of new Set(['/', path || '/'])) app.route(base, endpoints)
  for (const [name, documentOf] of Object.entries(METADATA)) {
    const respond = publicText('application/json')
    for (const place of new Set([name, name + path, path + name])) {
      publish(app, place, async (c) => {
        // They are a service to readers; discovery itself must not hang on the registry.
        const scopes = await parts.findScopes('supported').catch(() => undefined)
        return respond(JSON.stringify(documentOf(issuerOf(c.req.url), scopes ?? [], parts)))
      })
    }
  }
  refuseOtherMethods(app)
  return app
}

/** A path of OpenAPI as Hono writes it. */
function toRoute(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
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
  app.post(ENDPOINTS.token_endpoint, (c) => token(c, contextOf(c), parts))
  const keys = jwks(parts.keyring)
  publish(app, ENDPOINTS.jwks_uri, () => keys(now()))
  // The methods of RFC 6749 §3.1.
  app.on(['GET', 'POST'], ENDPOINTS.authorization_endpoint, () => {
    throw unsupportedResponseType()
  })
  if (denial !== undefined) {
    const more = { ...parts, ...denial }
    const list = revocationList(more)
    app.post(DENIAL.revocation_endpoint, (c) => revoke(c, contextOf(c), more))
    app.post(DENIAL.introspection_endpoint, (c) => introspect(c, contextOf(c), more))
    publish(app, DENIAL.revocations_uri, (c) => list(issuerOf(c.req.url)))
  }
  if (operatorTokenHash !== undefined) {
    const registrationUrl = (url: string): string => below(issuerOf(url), MANAGEMENT.registration_endpoint)
    const managed = toManaged(parts, operatorTokenHash, registrationUrl)
    app.route(MANAGEMENT.registration_endpoint, register(managed)).route(RESOURCE_SERVERS, resources(managed))
    if (denial !== undefined) app.route(DENIAL.revocations_uri, cutTokens(managed, denial.revocations))
  }
  return app
}

function below(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path
}
