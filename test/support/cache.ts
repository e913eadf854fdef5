/** A cache of records in front of a registry that the test controls. */

import type { ServerEvent } from '../../src/events/events.ts'
import { type Cache, cacheRecords } from '../../src/records/cache.ts'
import type { Client } from '../../src/types.ts'
import { NOW } from './world.ts'

export const FRESH_SECONDS = 30

export interface CacheUnderTest extends Cache<Client> {
  readonly state: {
    /** Epoch seconds. */
    now: number
    /** Whether a read of the registry fails. */
    fails: boolean
    /** How often the registry was read. */
    reads: number
    /** What the registry holds, under any id. */
    held: Client | undefined
    /** What a read waits for, once it knows its answer. */
    delay: Promise<void>
  }
  readonly events: readonly ServerEvent[]
}

/** @param isLate whether only a refresh reads the latest */
export function setUpCache(freshSeconds: number = FRESH_SECONDS, isLate = false): CacheUnderTest {
  const state: CacheUnderTest['state'] = {
    now: NOW,
    fails: false,
    reads: 0,
    held: undefined,
    delay: Promise.resolve(),
  }
  const events: ServerEvent[] = []
  const read = async (): Promise<Client | undefined> => {
    state.reads++
    const { fails, held, delay } = state
    await delay
    if (fails) throw new Error('down', { cause: new Error('no route') })
    return held
  }
  const { find, forget } = cacheRecords(read, {
    prefix: 'client',
    freshSeconds,
    isLate,
    now: () => state.now,
    emit: (event) => events.push(event),
  })
  return { state, events, find, forget }
}
