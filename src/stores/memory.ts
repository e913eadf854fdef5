/** Both stores in memory, lost when the process ends: for tests and trials. A full store refuses new entries and drops none. */

import { epochSeconds } from '../lib/clock.ts'
import type { Ledger, Registry, Stores } from './contracts.ts'

const DEFAULT_MAX_ENTRIES = 100_000

/**
 * Returns both stores, empty.
 *
 * @param now returns epoch seconds; defaults to the clock of the runtime
 */
export function memoryStores(now: () => number = epochSeconds, maxEntries: number = DEFAULT_MAX_ENTRIES): Stores {
  return { registry: memoryRegistry(maxEntries), ledger: memoryLedger(now, maxEntries), close: async () => undefined }
}

function memoryRegistry(maxEntries: number): Registry {
  const records = new Map<string, string>()
  return {
    get: async (key) => records.get(key),
    async put(key, value) {
      if (!records.has(key)) requireRoom(records, maxEntries)
      records.set(key, value)
    },
    async delete(key) {
      records.delete(key)
    },
    async replace(key, expected, value) {
      if (records.get(key) !== expected) return false
      if (expected === undefined) requireRoom(records, maxEntries)
      records.set(key, value)
      return true
    },
    async remove(key, expected) {
      return records.get(key) === expected && records.delete(key)
    },
    async list(prefix, { limit, cursor = '' }) {
      const keys = [...records.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort()
      const page = keys.slice(0, limit)
      const last = page.at(-1)
      return keys.length > limit && last !== undefined ? { keys: page, cursor: last } : { keys: page }
    },
  }
}

function memoryLedger(now: () => number, maxEntries: number): Ledger {
  const marks = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  const live = (key: string) => {
    const mark = marks.get(key)
    return mark !== undefined && mark.expiresAt > now() ? mark : undefined
  }
  const make = (key: string, value: string, expiresAt: number): void => {
    if (marks.size >= maxEntries) sweep()
    if (!marks.has(key)) requireRoom(marks, maxEntries)
    marks.set(key, { value, expiresAt })
  }
  const sweep = (): void => {
    for (const [key, { expiresAt }] of marks) if (expiresAt <= now()) marks.delete(key)
  }
  return {
    async add(key, value, expiresAt) {
      if (live(key) !== undefined) return false
      make(key, value, expiresAt)
      return true
    },
    async count(key, windowSeconds) {
      const { value, expiresAt } = live(key) ?? { value: '0', expiresAt: now() + windowSeconds }
      const count = Number(value) + 1
      make(key, String(count), expiresAt)
      return count
    },
    async raise(key, value, expiresAt) {
      const held = live(key)
      const highest = Math.max(value, Number(held?.value ?? value))
      make(key, String(highest), Math.max(expiresAt, held?.expiresAt ?? expiresAt))
      return highest
    },
    get: async (key) => live(key)?.value,
    async *list(family) {
      const keys = [...marks.keys()].filter((key) => key.startsWith(`${family}:`) && live(key) !== undefined)
      yield keys.map((key) => ({ key, value: Number(live(key)?.value) }))
    },
  }
}

function requireRoom({ size }: ReadonlyMap<string, unknown>, maxEntries: number): void {
  if (size >= maxEntries) throw new RangeError(`the memory store is full: ${maxEntries} entries`)
}
