/** Records in this process, gone with it: for tests and toys. */

import type { Registry } from '../types.ts'

export function memoryRegistry(): Registry {
  const records = new Map<string, string>()
  return {
    get: async (key) => records.get(key),
    put: async (key, value) => {
      records.set(key, value)
    },
  }
}
