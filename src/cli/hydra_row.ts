/** Rows of Hydra's table `hydra_client`, as PostgreSQL's `row_to_json` and others export them. */

import { parseJson } from '../lib/json.ts'
import { isObject, type Members } from './http.ts'

const LISTS = ['grant_types', 'audience', 'contacts', 'redirect_uris', 'rotated_secrets']
const OBJECTS = ['jwks', 'metadata']
const LIFESPAN = 'client_credentials_grant_access_token_lifespan'

/**
 * Returns a row with the members of Hydra's API. The id is in the column `id`. Lists are JSON, or in tables of Hydra 1 texts
 * such as `a|b`; objects may be texts of JSON; lifespans are nanoseconds. A client of the API is returned unchanged.
 */
export function fromHydraRow(row: Members): Members {
  const members = Object.entries(row).map(([name, value]) => [name, fromColumn(name, value)] as const)
  const { id, ...client } = Object.fromEntries(members)
  return id === undefined || 'client_id' in client ? client : { client_id: id, ...client }
}

function fromColumn(name: string, value: unknown): unknown {
  if (name === LIFESPAN && typeof value === 'number') return `${value}ns`
  if (LISTS.includes(name) && typeof value === 'string') return parse(value) ?? value.split('|').filter(Boolean)
  if (!OBJECTS.includes(name)) return value
  const object = typeof value === 'string' ? (parse(value) ?? value) : value
  const isEmptySet =
    isObject(object) && 'keys' in object && !(Array.isArray(object['keys']) && object['keys'].length > 0)
  return isEmptySet ? {} : object
}

function parse(text: string): unknown {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? value : undefined
}
