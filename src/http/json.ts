/** Requests whose body is a JSON object: media type, size, depth, repeated members. */

import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { invalidRequest, OAuthError } from '../errors.ts'
import { MAX_JSON_LEVELS, parseUniqueThroughout } from '../lib/json.ts'
import { readMediaType } from './media_type.ts'

const MAX_BODY_BYTES = 48 * 1024

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw invalidRequest('body_too_large', 'The body is larger than 48 KiB.', { status: 413 })
  },
})

/**
 * Middleware that refuses a body over 48 KiB, whether its length is declared or not, and one that is cut off. The body of a GET is
 * not read: on Workers a request can have one, but it cannot be made again with its body limited.
 */
export const limitJson: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  let isRead = false
  const proceed = (): Promise<void> => {
    isRead = true
    return next()
  }
  try {
    return await limitBody(c, proceed)
  } catch (error) {
    throw isRead || error instanceof OAuthError ? error : malformed()
  }
}

function malformed(): OAuthError {
  const problem = `The body is not one JSON object without repeated members, or has more than ${MAX_JSON_LEVELS} levels.`
  return invalidRequest('body_malformed', problem)
}

/**
 * Returns the JSON object in the body of a request.
 *
 * @throws OAuthError `invalid_request` for another media type, or a body that {@link parseUniqueThroughout} does not accept
 */
export async function readJson(c: Context): Promise<Readonly<Record<string, unknown>>> {
  if (readMediaType(c) !== 'application/json') {
    throw invalidRequest('content_type_not_json', 'The Content-Type must be application/json.')
  }
  try {
    const octets = await c.req.arrayBuffer()
    return parseUniqueThroughout(new TextDecoder('utf-8', { fatal: true }).decode(octets))
  } catch {
    throw malformed()
  }
}
