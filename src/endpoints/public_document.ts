/** Documents that anybody may read and caches may keep: the keys and the metadata. */

import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'

const MAX_AGE_SECONDS = 300

/** Gives `ETag` and answers 304, RFC 9110 §13; verifiers in browsers may read it. */
export const publicDocument: readonly [MiddlewareHandler, MiddlewareHandler] = [
  cors({ origin: '*', allowMethods: ['GET'] }),
  etag(),
]

export function publicJson(body: unknown, type = 'application/json'): Response {
  const headers = { 'Content-Type': type, 'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}` }
  return new Response(JSON.stringify(body), { headers })
}
