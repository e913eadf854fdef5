/** A map that holds what was used last and lets go of the rest, in two generations: no entry is looked for to be let go of. */

export interface Lru<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

/** @param maxEntries it never holds more, and always the half of it that was used last */
export function lru<V>(maxEntries: number): Lru<V> {
  let [young, old] = [new Map<string, V>(), new Map<string, V>()]
  const place = (key: string, value: V): void => {
    young.set(key, value)
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
