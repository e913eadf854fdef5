/** Requests whose body is a JSON object: media type, size, no member twice. */

import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { invalidRequest } from '../errors.ts'
import { parseUnique } from '../lib/json.ts'
import { readMediaType } from './media_type.ts'

const MAX_BODY_BYTES = 48 * 1024

/** Refuses a body over 48 KiB, whether its length is told or not. */
export const limitJson: MiddlewareHandler = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw invalidRequest('body_too_large', 'The body is larger than 48 KiB.', { status: 413 })
  },
})

/** @throws OAuthError `invalid_request` */
export async function readJson(c: Context): Promise<Readonly<Record<string, unknown>>> {
  if (readMediaType(c) !== 'application/json') {
    throw invalidRequest('content_type_not_json', 'The Content-Type must be application/json.')
  }
  const octets = await c.req.arrayBuffer()
  try {
    return parseUnique(new TextDecoder('utf-8', { fatal: true }).decode(octets))
  } catch {
    throw invalidRequest('body_malformed', 'The body is not one JSON object without repeated members.')
  }
}
