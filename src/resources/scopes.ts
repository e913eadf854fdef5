/** The scopes of the registered resource servers, for the metadata document. */

import type { Records } from '../records/open.ts'
import { keyOf } from '../records/records.ts'
import { RESOURCES } from './registry.ts'

/** Further resource servers are left out, so that the document stays small and cheap to make. */
const MAX_RESOURCES = 100

const WILDCARD = '*'

/** Returns each scope once, sorted. Patterns with a wildcard are left out, and unreadable records are ignored. */
export async function scopesOf(records: Records): Promise<readonly string[]> {
  const findResource = records.find(RESOURCES)
  const prefix = keyOf(RESOURCES, '')
  const { keys } = await records.registry.list(prefix, { limit: MAX_RESOURCES })
  const found = await Promise.allSettled(keys.map((key) => findResource(key.slice(prefix.length))))
  const scopes = found.flatMap((each) => (each.status === 'fulfilled' ? (each.value?.scope?.split(' ') ?? []) : []))
  return [...new Set(scopes.filter((scope) => scope !== '' && !scope.includes(WILDCARD)))].sort()
}
