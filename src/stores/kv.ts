/**
 * The registry in Cloudflare KV: read near the caller, and seen everywhere within about a minute of a write. Never the
 * place for what must happen once; that is the Durable Object's.
 */

import type { Registry } from './contracts.ts'

/** What is used of a KV namespace binding. */
export interface KvNamespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string; limit: number; cursor?: string | null }): Promise<{
    readonly keys: readonly { readonly name: string }[]
    readonly cursor?: string
  }>
}

/** How long KV may go on giving what was there before, and that nothing was; its documentation says "60 seconds or more". */
const LAG_SECONDS = 60

export function kvRegistry(namespace: KvNamespace): Registry {
  return {
    lagSeconds: LAG_SECONDS,
    get: async (key) => (await namespace.get(key)) ?? undefined,
    put: (key, value) => namespace.put(key, value),
    delete: (key) => namespace.delete(key),
    async list(prefix, { limit, cursor = null }) {
      const page = await namespace.list({ prefix, limit, cursor })
      const keys = page.keys.map(({ name }) => name)
      return page.cursor ? { keys, cursor: page.cursor } : { keys }
    },
  }
}
