/** Records in Cloudflare KV: read near the caller, seen everywhere within about a minute of a write. */

import type { Registry } from '../types.ts'

/** What is used of a KV namespace binding. */
export interface KvNamespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
}

export function kvRegistry(namespace: KvNamespace): Registry {
  return {
    get: async (key) => (await namespace.get(key)) ?? undefined,
    put: (key, value) => namespace.put(key, value),
  }
}
