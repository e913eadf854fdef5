/** Clients kept in this process or isolate for a stated time, so that a busy client costs one read in that time. */

import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { Client } from '../types.ts'
import type { FindClient } from './registry.ts'

/** How long a name that nobody has is remembered, so that a new client need not wait for it. */
const UNKNOWN_SECONDS = 5

/** How long beyond its freshness a client is served while the registry fails. */
export const STALE_SECONDS = 300

/** How long somebody else's read of the same client is waited for. */
const SHARED_READ_SECONDS = 3

const MAX_CLIENTS = 10_000
const MAX_UNKNOWN = 10_000

interface Held {
  readonly client: Client
  /** When its read began, epoch seconds: what was written later is not in it. */
  readonly readAt: number
}

export interface ClientCacheOptions {
  /** 0 keeps clients for the case of a failure only. */
  readonly freshSeconds: number
  readonly emit: Emit
  /** Epoch seconds. */
  now(): number
}

/** Gives a `FindClient` that asks `read` when it has to, once for all who wait for the same client. */
export function cacheClients(read: FindClient, { freshSeconds, now, emit }: ClientCacheOptions): FindClient {
  const known = lru<Held>(MAX_CLIENTS)
  const unknown = lru<number>(MAX_UNKNOWN)
  const reading = singleFlight<Client | undefined>(SHARED_READ_SECONDS)
  const unknownSeconds = Math.min(UNKNOWN_SECONDS, freshSeconds)

  const readAnew = async (client_id: string): Promise<Client | undefined> => {
    const readAt = now()
    const client = await read(client_id)
    if (client !== undefined) known.set(client_id, { client, readAt })
    else {
      known.delete(client_id)
      unknown.set(client_id, readAt)
    }
    return client
  }

  return async (client_id) => {
    const held = known.get(client_id)
    if (held !== undefined && now() < held.readAt + freshSeconds) return held.client
    const missedAt = unknown.get(client_id)
    if (missedAt !== undefined && now() < missedAt + unknownSeconds) return undefined
    try {
      return await reading(client_id, () => readAnew(client_id))
    } catch (error) {
      const age_seconds = now() - (held?.readAt ?? 0)
      if (held === undefined || age_seconds >= freshSeconds + STALE_SECONDS) throw error
      emit({ event: 'client_served_stale', client_id, age_seconds, cause: causeText(error) })
      return held.client
    }
  }
}
