/** Pages of records, as the query asks for them. */

import type { Context } from 'hono'
import { invalidRequest } from '../errors.ts'
import { reached } from '../records/change.ts'
import type { Registry } from '../stores/contracts.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000
const MAX_CURSOR_CHARACTERS = 2048

/** One page of ids, in the order of their octets. */
export interface Ids {
  readonly ids: readonly string[]
  readonly cursor: string | undefined
}

/** @throws OAuthError `invalid_request` for a limit that is none, `temporarily_unavailable` */
export async function readPage(c: Context, registry: Registry, prefix: string): Promise<Ids> {
  const limit = Number(c.req.query('limit') ?? DEFAULT_LIMIT)
  const cursor = c.req.query('cursor')
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT || (cursor?.length ?? 0) > MAX_CURSOR_CHARACTERS) {
    throw invalidRequest('query_malformed', `The limit is a whole number from 1 to ${MAX_LIMIT}.`)
  }
  const page = await reached(registry.list(prefix, { limit, cursor }))
  return { ids: page.keys.map((key) => key.slice(prefix.length)), cursor: page.cursor }
}
