/** The provider: a Hono app that mounts a list of endpoints and serves the metadata documents derived from the list. */

import { Hono } from 'hono'
import type { App, Endpoint, Site } from './endpoints/endpoint.ts'
import { METADATA_PATH, metadataOf, openidMetadataOf } from './endpoints/metadata.ts'
import type { Emit } from './events/events.ts'
import type { FindAddress } from './http/caller.ts'
import { refuseOtherMethods } from './http/methods.ts'
import { observe } from './http/observe.ts'
import { publicText, publish } from './http/public_document.ts'
import { epochSeconds } from './lib/clock.ts'
import { requireNames } from './lib/names.ts'

export interface ProviderOptions {
  /** Issuer identifier, RFC 8414 §2, or a function that returns it for the URL of a request. */
  readonly issuer: string | ((url: string) => string)
  /** Everything that the provider offers; the metadata documents are derived from it. */
  readonly endpoints: readonly Endpoint[]
  /**
   * Paths of the app below which the endpoints are mounted. Defaults to the path of the issuer, so that an app which mounts
   * this one keeps all other paths; add `/` for a proxy that strips the path of the issuer.
   */
  readonly mountAt?: readonly string[]
  /** Returns the scopes for the metadata. If it rejects, the document omits them. */
  findScopes?(): Promise<readonly string[]>
  /** Finds the address of a caller behind proxies, as `forwardedAddress` does; by default it is that of the peer. */
  readonly findAddress?: FindAddress | undefined
  /** Receives each event; by default events are dropped. */
  readonly emit?: Emit
  /** Returns epoch seconds; defaults to the clock of the runtime. */
  now?(): number
}

/** Paths of the metadata documents, below the issuer or between its host and its path (RFC 8414 §3.1). */
const METADATA = {
  [METADATA_PATH]: metadataOf,
  '/.well-known/openid-configuration': openidMetadataOf,
} as const

/**
 * Creates the provider. Serve it directly, or mount it in another app with `app.route('/', provider)`: it answers on its
 * own paths only.
 *
 * @throws TypeError if the list is empty or two endpoints have the same path
 */
export function createProvider(options: ProviderOptions): App {
  const { issuer, endpoints, emit = () => undefined } = options
  const now = (): number => options.now?.() ?? epochSeconds()
  requireNames(
    'createProvider: endpoints',
    endpoints.map(({ path }) => path),
  )
  const issuerOf = typeof issuer === 'string' ? () => issuer : issuer
  const path = typeof issuer === 'string' ? new URL(issuer).pathname.replace(/\/$/, '') : ''
  const site: Site = { issuerOf, now, endpoints }
  const listed: App = new Hono()
  for (const endpoint of endpoints) listed.route(endpoint.path, endpoint.routes(site))
  const home = endpoints.find(({ path }) => path === '/')

  const app: App = new Hono()
  for (const base of new Set(options.mountAt ?? [path || '/'])) {
    app.route(base, listed)
    // Hono distinguishes `/auth` from `/auth/`.
    if (!base.endsWith('/') && home !== undefined) app.route(`${base}/`, home.routes(site))
  }
  publishMetadata(app, path, site, options.findScopes)
  refuseOtherMethods(app)
  return observe(app, { emit, findAddress: options.findAddress })
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
        // The scopes are optional; discovery must not depend on the registry.
        const scopes = await findScopes?.().catch(() => undefined)
        return respond(JSON.stringify(documentOf(issuerOf(c.req.url), scopes ?? [], endpoints)))
      })
    }
  }
}
