/** The version of a stored record as an entity tag, RFC 9110 §8.8.3. */

import type { Context } from 'hono'
import { preconditionFailed } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'

const TAG_OCTETS = 16

export async function etagOf(record: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(record))
  return `"${encodeBase64url(new Uint8Array(digest, 0, TAG_OCTETS))}"`
}

/**
 * Checks `If-Match` and `If-None-Match: *` against what is stored.
 *
 * @throws OAuthError `precondition_failed`
 * @see RFC 9110 §13.1
 */
export async function requireMatch(c: Context, record: string | undefined): Promise<void> {
  const wanted = c.req
    .header('If-Match')
    ?.split(',')
    .map((tag) => tag.trim())
  const isWanted = wanted?.includes('*') || (record !== undefined && wanted?.includes(await etagOf(record)))
  if (wanted !== undefined && !(record !== undefined && isWanted)) throw preconditionFailed()
  if (record !== undefined && c.req.header('If-None-Match')?.trim() === '*') throw preconditionFailed()
}
