/** Turns the failure of a store into 503, once for all callers. An operation that hangs counts as a failure. */

import { OAuthError, temporarilyUnavailable } from '../errors.ts'
import { within } from '../lib/within.ts'
import type { Ledger, Registry, Stores } from './contracts.ts'

/** Time limit of one store operation. */
const DEFAULT_SECONDS = 2

/** Time limit of one write of the registry: on Workers it goes on to KV, which takes one write a second of a key. */
const DEFAULT_WRITE_SECONDS = 5

/**
 * Returns the same stores with operations that reject with OAuthError `temporarily_unavailable` when they fail or have not
 * answered after `seconds`. An OAuthError thrown by a store is passed on unchanged.
 *
 * @param writeSeconds the limit for writes of the registry
 */
export function guardStores(stores: Stores, seconds?: number, writeSeconds?: number): Stores
export function guardStores(
  stores: Omit<Stores, 'close'>,
  seconds?: number,
  writeSeconds?: number,
): Omit<Stores, 'close'>
export function guardStores(
  stores: Omit<Stores, 'close'> & Partial<Pick<Stores, 'close'>>,
  seconds: number = DEFAULT_SECONDS,
  writeSeconds: number = seconds === DEFAULT_SECONDS ? DEFAULT_WRITE_SECONDS : seconds,
): Omit<Stores, 'close'> & Partial<Pick<Stores, 'close'>> {
  return {
    registry: guardRegistry(stores.registry, seconds, writeSeconds),
    ledger: guardLedger(stores.ledger, seconds),
    ...(stores.close !== undefined && { close: async () => stores.close?.() }),
  }
}

function guardRegistry(registry: Registry, seconds: number, writeSeconds: number): Registry {
  const { lagSeconds } = registry
  const read = guard('registry', seconds)
  const write = guard('registry', writeSeconds)
  return {
    ...(lagSeconds !== undefined && { lagSeconds }),
    get: (key, options) => read(() => registry.get(key, options)),
    put: (key, value) => write(() => registry.put(key, value)),
    delete: (key) => write(() => registry.delete(key)),
    replace: (key, expected, value) => write(() => registry.replace(key, expected, value)),
    remove: (key, expected) => write(() => registry.remove(key, expected)),
    list: (prefix, options) => read(() => registry.list(prefix, options)),
  }
}

function guardLedger(ledger: Ledger, seconds: number): Ledger {
  const guarded = guard('ledger', seconds)
  return {
    add: (key, value, expiresAt) => guarded(() => ledger.add(key, value, expiresAt)),
    count: (key, windowSeconds) => guarded(() => ledger.count(key, windowSeconds)),
    raise: (key, value, expiresAt) => guarded(() => ledger.raise(key, value, expiresAt)),
    get: (key) => guarded(() => ledger.get(key)),
    async *list(family) {
      const pages = await guarded(async () => ledger.list(family)[Symbol.asyncIterator]())
      for (;;) {
        const page = await guarded(() => pages.next())
        if (page.done === true) return
        yield page.value
      }
    },
  }
}

/** Returns a function that runs one operation of a store and waits for its answer. */
function guard(store: 'registry' | 'ledger', seconds: number): <T>(operation: () => Promise<T>) => Promise<T> {
  return async (operation) => {
    try {
      return await within(seconds, operation(), `the store did not answer within ${seconds} s`)
    } catch (error) {
      if (error instanceof OAuthError) throw error
      throw temporarilyUnavailable('store_failed', `The ${store} cannot be reached.`, error)
    }
  }
}
