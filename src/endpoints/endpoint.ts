/** An endpoint as one value: where it is, how the documents name and describe it, and its routes. */

import type { Hono, Context as HonoContext } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import type { Context } from '../types.ts'
import type { Operations } from './operation.ts'

export type App = Hono<{ Bindings: Connection }>

/**
 * One endpoint of the provider. `createProvider` mounts the routes of each endpoint in its list below the issuer, and reads
 * the metadata and the OpenAPI document off the same list, so they cannot disagree with what is there.
 *
 * What an endpoint works with is given to the function that makes it; what only the provider knows comes with `routes`.
 * A method that a path has no route for is answered with 405 by the provider. What a route throws is answered by it as well:
 * an `OAuthError` as it is, anything else as `server_error`.
 *
 * @example
 * ```ts
 * function timeEndpoint(): Endpoint {
 *   return { path: '/time', routes: ({ now }) => new Hono<{ Bindings: Connection }>().get('/', (c) => c.text(`${now()}`)) }
 * }
 * ```
 */
export interface Endpoint {
  /** Below the issuer, such as `/token`. */
  readonly path: string
  /** Its name in the metadata document, RFC 8414 §2. Absent: the document does not name it. */
  readonly metadataMember?: string
  /** Further members of the metadata document. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Members that the document has in addition where it is read as `openid-configuration`. */
  readonly openidMetadata?: Readonly<Record<string, unknown>>
  /** Its rows of the OpenAPI document. */
  readonly operations?: Operations
  /** Returns the routes, to be mounted at `path`. */
  routes(site: Site): App
}

/** Where the provider is, what time it is there, and what else is there. */
export interface Site {
  /** Returns the issuer identifier that a request's URL belongs to. */
  issuerOf(url: string): string
  /** Returns epoch seconds. */
  now(): number
  /** The list that the provider mounts. */
  readonly endpoints: readonly Endpoint[]
}

/** Returns the URL of a path below the issuer. */
export function below(issuer: string, path: string): string {
  return issuer.replace(/\/$/, '') + path
}

/** Returns the context of a request at this instant. */
export function contextOf({ issuerOf, now }: Site, { req }: HonoContext): Context {
  const issuer = issuerOf(req.url)
  return { issuer, tokenEndpoint: below(issuer, TOKEN_PATH), now: now() }
}

/** Some clients name the URL of the token endpoint as the audience of their assertions, at every endpoint. */
export const TOKEN_PATH = '/token'
