/** A time limit for every operation of a store: one that hangs is one that fails. */

import type { Ledger, Registry, Stores } from '../types.ts'

/** Gives the same stores, whose functions reject after `seconds` without an answer. */
export function guardStores({ registry, ledger, close }: Stores, seconds: number): Stores {
  return { registry: guardRegistry(registry, seconds), ledger: guardLedger(ledger, seconds), close }
}

function guardRegistry(registry: Registry, seconds: number): Registry {
  return {
    get: (key) => within(seconds, registry.get(key)),
    put: (key, value) => within(seconds, registry.put(key, value)),
    delete: (key) => within(seconds, registry.delete(key)),
    list: (prefix, options) => within(seconds, registry.list(prefix, options)),
  }
}

function guardLedger(ledger: Ledger, seconds: number): Ledger {
  return {
    add: (key, value, expiresAt) => within(seconds, ledger.add(key, value, expiresAt)),
    count: (key, windowSeconds) => within(seconds, ledger.count(key, windowSeconds)),
    get: (key) => within(seconds, ledger.get(key)),
    delete: (key) => within(seconds, ledger.delete(key)),
  }
}

async function within<T>(seconds: number, operation: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the store gave no answer within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([operation, limit])
  } finally {
    clearTimeout(timer)
  }
}
