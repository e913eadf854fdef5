/** An approximate LRU map: two generations, so that eviction is O(1). */

import { ownText } from './own_text.ts'

export interface Lru<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

/** @param maxEntries upper bound of its size; the half of them used most recently is always kept */
export function lru<V>(maxEntries: number): Lru<V> {
  let [young, old] = [new Map<string, V>(), new Map<string, V>()]
  const place = (key: string, value: V): void => {
    // A new entry has a key of its own, because that of the caller may be a part of a long text.
    young.set(young.has(key) ? key : ownText(key), value)
    if (young.size >= maxEntries / 2) [young, old] = [new Map(), young]
  }
  return {
    get(key) {
      const value = young.get(key) ?? old.get(key)
      if (value !== undefined && !young.has(key)) place(key, value)
      return value
    },
    set: place,
    delete(key) {
      young.delete(key)
      old.delete(key)
    },
  }
}
