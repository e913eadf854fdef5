/** Entity tags of stored records and documents, RFC 9110 §8.8.3. */

import type { Context } from 'hono'
import { preconditionFailed } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'

const TAG_OCTETS = 16

/** Returns the entity tag of a record or document: half of its SHA-256, quoted. */
export async function etagOf(record: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(record))
  return `"${encodeBase64url(new Uint8Array(digest, 0, TAG_OCTETS))}"`
}

/**
 * Evaluates `If-Match` and `If-None-Match: *` against the stored record.
 *
 * @param record the stored text, undefined when there is none
 * @throws OAuthError `precondition_failed`
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-13.1 RFC 9110 §13.1}
 */
export async function requireMatch(c: Context, record: string | undefined): Promise<void> {
  const wanted = c.req.header('If-Match')
  const isWanted = wanted === '*' || (record !== undefined && tagsOf(wanted ?? '').includes(await etagOf(record)))
  if (wanted !== undefined && !(record !== undefined && isWanted)) throw preconditionFailed()
  if (record !== undefined && c.req.header('If-None-Match')?.trim() === '*') throw preconditionFailed()
}

/** An element of a list of entity tags, which may be empty. A tag may hold commas and asterisks. */
const ELEMENT = /[ \t]*(?:((?:W\/)?"[^" ]*")[ \t]*)?(?:,|$)/gy

/** Returns the entity tags of a list, none when it is malformed. */
function tagsOf(field: string): readonly string[] {
  const elements = [...field.matchAll(ELEMENT)]
  const isWhole = elements.map(([text]) => text).join('') === field
  return isWhole ? elements.flatMap(([, tag]) => tag ?? []) : []
}
