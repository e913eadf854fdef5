/** An endpoint as one value: its path, its entries in the metadata and OpenAPI documents, and its routes. */

import type { Hono, Context as HonoContext } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import type { Context } from '../types.ts'
import type { Operations } from './operation.ts'

/** The routes of an endpoint. */
export type App = Hono<{ Bindings: Connection }>

/**
 * An endpoint of the provider. `createProvider` mounts the routes of each endpoint in its list below the issuer, and makes the
 * metadata and OpenAPI documents from the same list, so that the documents always match the routes.
 *
 * The function that makes an endpoint takes what the endpoint depends on. `routes` takes what only the provider knows.
 * The provider answers 405 to methods that a path has no route for. It also answers errors thrown by a route: an `OAuthError`
 * as it is, anything else as `server_error`.
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
  /** The metadata member that holds its URL, RFC 8414 §2. Without it, the metadata does not list the endpoint. */
  readonly metadataMember?: string
  /** Other members that it adds to the metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Members that it adds to `openid-configuration` only. */
  readonly openidMetadata?: Readonly<Record<string, unknown>>
  /** Its operations in the OpenAPI document. */
  readonly operations?: Operations
  /** Returns the routes, to be mounted at `path`. */
  routes(site: Site): App
}

/** The values that the provider passes to each endpoint: the issuer, the clock, and the list of endpoints. */
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
  return (issuer.endsWith('/') ? issuer.slice(0, -1) : issuer) + path
}

/** Returns the context of a request, at the current time. */
export function contextOf({ issuerOf, now }: Site, { req }: HonoContext): Context {
  const issuer = issuerOf(req.url)
  return { issuer, tokenEndpoint: below(issuer, TOKEN_PATH), now: now() }
}

/** Path of the token endpoint. Some clients use its URL as the audience of their assertions at every endpoint. */
export const TOKEN_PATH = '/token'
