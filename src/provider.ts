/** The provider: mounts a list of endpoints and serves the documents that are read off the list, as a Hono app. */

import { Hono } from 'hono'
import type { App, Endpoint, Site } from './endpoints/endpoint.ts'
import { metadataOf, openidMetadataOf } from './endpoints/metadata.ts'
import type { Emit } from './events/events.ts'
import { refuseOtherMethods } from './http/methods.ts'
import { publicText, publish } from './http/public_document.ts'
import { refuse } from './http/respond.ts'
import { requireNames } from './lib/names.ts'

export interface ProviderOptions {
  /** Issuer identifier, RFC 8414 §2; or, where it follows the request, a function of the request's URL. */
  readonly issuer: string | ((url: string) => string)
  /** Everything that the provider offers; the documents follow from it. */
  readonly endpoints: readonly Endpoint[]
  /**
   * Paths of the app below which the endpoints are. By default the path of the issuer alone, so that an app that this one is
   * mounted in keeps the rest; add `/` for a proxy that takes the path of the issuer away.
   */
  readonly mountAt?: readonly string[]
  /** Returns the scopes for the metadata; when it rejects, the document leaves them out. */
  findScopes?(): Promise<readonly string[]>
  /** Takes each event; by default they are dropped. */
  readonly emit?: Emit
  /** Returns epoch seconds; by default by the clock of the runtime. */
  now?(): number
}

/** Where the metadata is, below the issuer or between its host and its path, RFC 8414 §3.1, and what makes it. */
const METADATA = {
  '/.well-known/oauth-authorization-server': metadataOf,
  '/.well-known/openid-configuration': openidMetadataOf,
} as const

/**
 * Builds the provider. It can be served as it is, or mounted in another app with `app.route('/', provider)`: it answers at
 * its own paths only.
 *
 * @throws TypeError when the list is empty or two endpoints have one path
 */
export function createProvider(options: ProviderOptions): App {
  const { issuer, endpoints, emit = () => undefined, now = epochSeconds } = options
  requireNames(
    'createProvider: endpoints',
    endpoints.map(({ path }) => path),
  )
  const issuerOf = typeof issuer === 'string' ? () => issuer : issuer
  const path = typeof issuer === 'string' ? new URL(issuer).pathname.replace(/\/$/, '') : ''
  const site: Site = { issuerOf, now, endpoints }
  const listed: App = new Hono()
  for (const endpoint of endpoints) listed.route(endpoint.path, endpoint.routes(site))

  const app: App = new Hono()
  app.onError((error, c) => refuse(c, error, emit))
  for (const base of new Set(options.mountAt ?? [path || '/'])) app.route(base, listed)
  publishMetadata(app, path, site, options.findScopes)
  refuseOtherMethods(app)
  return app
}

function publishMetadata(
  app: App,
  path: string,
  { issuerOf, endpoints }: Site,
  findScopes: ProviderOptions['findScopes'],
): void {
  for (const [name, documentOf] of Object.entries(METADATA)) {
    const respond = publicText('application/json')
    for (const place of new Set([name, name + path, path + name])) {
      publish(app, place, async (c) => {
        // They are a service to readers; discovery itself must not hang on the registry.
        const scopes = await findScopes?.().catch(() => undefined)
        return respond(JSON.stringify(documentOf(issuerOf(c.req.url), scopes ?? [], endpoints)))
      })
    }
  }
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
