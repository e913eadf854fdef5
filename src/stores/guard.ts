/** A time limit for every store operation, so that one that hangs counts as a failure. */

import { within } from '../lib/within.ts'
import type { Ledger, Registry, Stores } from './contracts.ts'

/**
 * Returns the same stores with functions that reject after `seconds` without an answer.
 *
 * @param writeSeconds for writes of the registry: on Workers they go on to KV, which takes one write a second of a key
 */
export function guardStores(
  { registry, ledger, close }: Stores,
  seconds: number,
  writeSeconds: number = seconds,
): Stores {
  return { registry: guardRegistry(registry, seconds, writeSeconds), ledger: guardLedger(ledger, seconds), close }
}

function guardRegistry(registry: Registry, seconds: number, writeSeconds: number): Registry {
  const { lagSeconds } = registry
  return {
    ...(lagSeconds !== undefined && { lagSeconds }),
    get: (key, options) => limited(seconds, registry.get(key, options)),
    put: (key, value) => limited(writeSeconds, registry.put(key, value)),
    delete: (key) => limited(writeSeconds, registry.delete(key)),
    replace: (key, expected, value) => limited(writeSeconds, registry.replace(key, expected, value)),
    remove: (key, expected) => limited(writeSeconds, registry.remove(key, expected)),
    list: (prefix, options) => limited(seconds, registry.list(prefix, options)),
  }
}

function guardLedger(ledger: Ledger, seconds: number): Ledger {
  return {
    add: (key, value, expiresAt) => limited(seconds, ledger.add(key, value, expiresAt)),
    count: (key, windowSeconds) => limited(seconds, ledger.count(key, windowSeconds)),
    raise: (key, value, expiresAt) => limited(seconds, ledger.raise(key, value, expiresAt)),
    get: (key) => limited(seconds, ledger.get(key)),
    async *list(family) {
      const pages = ledger.list(family)[Symbol.asyncIterator]()
      for (;;) {
        const page = await limited(seconds, pages.next())
        if (page.done === true) return
        yield page.value
      }
    },
  }
}

function limited<T>(seconds: number, operation: Promise<T>): Promise<T> {
  return within(seconds, operation, `the store did not answer within ${seconds} s`)
}
