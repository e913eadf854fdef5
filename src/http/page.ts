/** Pagination of record lists, by the query parameters `limit` and `cursor`. */

import type { Context } from 'hono'
import { invalidRequest } from '../errors.ts'
import type { Registry } from '../stores/contracts.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000
const MAX_CURSOR_CHARACTERS = 2048

/** One page of ids, in octet order. */
export interface Ids {
  readonly ids: readonly string[]
  readonly cursor: string | undefined
}

/**
 * Returns the page of ids that the query asks for.
 *
 * @param prefix start of the keys, which is cut off
 * @throws OAuthError `invalid_request` for a malformed limit or an overlong cursor, `temporarily_unavailable` when the store fails
 */
export async function readPage(c: Context, registry: Registry, prefix: string): Promise<Ids> {
  const limit = Number(c.req.query('limit') ?? DEFAULT_LIMIT)
  const cursor = c.req.query('cursor')
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidRequest('query_malformed', `limit: must be an integer from 1 to ${MAX_LIMIT}.`)
  }
  if ((cursor?.length ?? 0) > MAX_CURSOR_CHARACTERS) {
    throw invalidRequest('query_malformed', `cursor: must have at most ${MAX_CURSOR_CHARACTERS} characters.`)
  }
  const page = await registry.list(prefix, { limit, cursor })
  return { ids: page.keys.map((key) => key.slice(prefix.length)), cursor: page.cursor }
}
