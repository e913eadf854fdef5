/** The scopes that the registered resource servers have, for whoever asks what there is. */

import type { Records } from '../records/open.ts'
import { keyOf } from '../records/records.ts'
import { RESOURCES } from './registry.ts'

/** Of more resource servers the scopes are not told: the document stays small and its making cheap. */
const MAX_RESOURCES = 100

const WILDCARD = '*'

/** Gives each scope once; patterns with a wildcard are no scopes, and a record that cannot be read has none. */
export async function scopesOf({ registry, find }: Records): Promise<readonly string[]> {
  const findResource = find(RESOURCES)
  const prefix = keyOf(RESOURCES, '')
  const { keys } = await registry.list(prefix, { limit: MAX_RESOURCES })
  const found = await Promise.allSettled(keys.map((key) => findResource(key.slice(prefix.length))))
  const scopes = found.flatMap((each) => (each.status === 'fulfilled' ? (each.value?.scope?.split(' ') ?? []) : []))
  return [...new Set(scopes.filter((scope) => scope !== '' && !scope.includes(WILDCARD)))].sort()
}
