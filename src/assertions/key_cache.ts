/** A cache of key sets that other parties publish: shared fetches, a pause between them, and stale use while a fetch fails. */

import type { OAuthError } from '../errors.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { Jwk } from '../types.ts'

const FRESH_SECONDS = 300

/** Minimum time between two fetches of one set, whether an assertion names an unknown key or the fetch fails. */
export const COOL_DOWN_SECONDS = 30

/** Time for which keys are used after their freshness has ended, while they cannot be fetched. */
const STALE_SECONDS = 3600

/** Time that a caller waits for a fetch that another caller began. */
const SHARED_SECONDS = 3

const MAX_SETS = 1000

/** A key set as it was fetched. */
export interface PublishedKeys {
  readonly keys: readonly Jwk[]
  /** Seconds for which they are used without another fetch. Five minutes by default. */
  readonly freshSeconds?: number | undefined
}

export interface KeyCacheOptions {
  /** Returns epoch seconds. */
  now(): number
  /** Returns the error for keys that cannot be fetched. */
  unavailable(cause: unknown): OAuthError
}

/**
 * Returns the keys held under `id`, or those that `load` fetches. Rejects with the error of `unavailable` when they cannot be
 * fetched and none are held.
 *
 * `refresh` fetches them even if the held ones are fresh, at most every 30 seconds.
 */
export type FindPublished = (
  id: string,
  load: () => Promise<PublishedKeys>,
  options?: { readonly refresh: boolean },
) => Promise<readonly Jwk[]>

interface Held extends PublishedKeys {
  readonly readAt: number
}

/** Returns an empty cache. */
export function keyCache({ now, unavailable }: KeyCacheOptions): FindPublished {
  const held = lru<Held>(MAX_SETS)
  const triedAt = lru<number>(MAX_SETS)
  const fetching = singleFlight<readonly Jwk[]>(SHARED_SECONDS)

  const fetchAndCache = async (id: string, load: () => Promise<PublishedKeys>): Promise<readonly Jwk[]> => {
    const startedAt = now()
    if (startedAt < (triedAt.get(id) ?? Number.NEGATIVE_INFINITY) + COOL_DOWN_SECONDS) {
      throw new Error(`the last fetch was less than ${COOL_DOWN_SECONDS} s ago`)
    }
    triedAt.set(id, startedAt)
    const published = await load()
    held.set(id, { ...published, readAt: startedAt })
    return published.keys
  }

  return async (id, load, { refresh } = { refresh: false }) => {
    const known = held.get(id)
    const age = known === undefined ? Number.POSITIVE_INFINITY : now() - known.readAt
    const freshSeconds = known?.freshSeconds ?? FRESH_SECONDS
    if (known !== undefined && age < freshSeconds && !refresh) return known.keys
    try {
      return await fetching(id, () => fetchAndCache(id, load))
    } catch (cause) {
      if (known !== undefined && age < freshSeconds + STALE_SECONDS) return known.keys
      throw unavailable(cause)
    }
  }
}
