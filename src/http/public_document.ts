/** Public documents, which caches may keep: the keys, the metadata, the list of revocations, the OpenAPI document. */

import type { Env, Handler, Hono, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { etag, RETAINED_304_HEADERS } from 'hono/etag'
import { etagOf } from './etag.ts'
import { lengthOf, publicHeaders } from './respond.ts'

const MAX_AGE_SECONDS = 300

const readable = cors({ origin: '*', allowMethods: ['GET', 'HEAD'] })

/** Answers 304, RFC 9110 §13.1.2, and keeps the CORS header on it so that pages of any origin can read that answer, too. */
const conditional = etag({
  retainedHeaders: [...RETAINED_304_HEADERS, 'Access-Control-Allow-Origin', ...Object.keys(publicHeaders)],
})

/** OPTIONS without `Access-Control-Request-Method` is not a preflight and is handled like other methods. */
const preflight: MiddlewareHandler = (c, next) => {
  if (c.req.header('Access-Control-Request-Method') === undefined) return next()
  for (const [name, value] of Object.entries(publicHeaders)) c.header(name, value)
  return readable(c, next)
}

/** Mounts a document at a path for GET, HEAD and CORS preflights. Pages of any origin may read it. */
export function publish<E extends Env>(app: Hono<E>, path: string, document: Handler<E>): void {
  app.options(path, preflight)
  app.get(path, readable, conditional, document)
}

/**
 * Makes the 200 response for a body. With the `If-None-Match` of a request that {@link publish} answers with 304, it makes the
 * response without the body, which would be encoded for nothing.
 */
export type Respond = (body: string, ifNoneMatch?: string) => Promise<Response>

/**
 * Returns a function that makes the response for a body, with its `ETag` and `Content-Length`. Both are kept for the latest
 * body, so that an unchanged body is hashed once. {@link publish} evaluates the preconditions.
 *
 * @param maxAgeSeconds how long caches may keep the response
 */
export function publicText(type: string, maxAgeSeconds: number = MAX_AGE_SECONDS): Respond {
  let latest: { readonly body: string; readonly headers: ReturnType<typeof headersOf> } | undefined
  const headersOf = async (body: string): Promise<Record<string, string> & { readonly ETag: string }> => ({
    ...publicHeaders,
    'Content-Type': type,
    'Cache-Control': `public, max-age=${maxAgeSeconds}`,
    ETag: await etagOf(body),
    'Content-Length': lengthOf(body),
  })
  return async (body, ifNoneMatch) => {
    if (latest?.body !== body) latest = { body, headers: headersOf(body) }
    const headers = await latest.headers
    const isHeld = ifNoneMatch === '*' || ifNoneMatch?.match(/"[^"]*"/g)?.includes(headers.ETag)
    return new Response(isHeld ? null : body, { headers })
  }
}
