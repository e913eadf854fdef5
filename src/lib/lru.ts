/** A map that holds so many entries and lets go of the one that was not used for the longest time. */

export interface Lru<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

export function lru<V>(maxEntries: number): Lru<V> {
  const entries = new Map<string, V>()
  const place = (key: string, value: V): void => {
    entries.delete(key)
    entries.set(key, value)
  }
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) place(key, value)
      return value
    },
    set(key, value) {
      place(key, value)
      const [oldest] = entries.size > maxEntries ? entries.keys() : []
      if (oldest !== undefined) entries.delete(oldest)
    },
    delete: (key) => void entries.delete(key),
  }
}
