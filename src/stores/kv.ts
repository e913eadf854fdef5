/**
 * The registry on Workers. Reads use Cloudflare KV near the caller, which sees a change everywhere within about a minute. Writes
 * go through a Durable Object, which compares the expected value and then writes to KV.
 */

import type { Registry } from './contracts.ts'
import { shardOf } from './shard.ts'

/** Changing this moves keys to objects that have no row for them and read them from KV, which may be a minute old. */
const SHARDS = 32

/** The part of a KV namespace binding that is used. */
export interface KvNamespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string; limit: number; cursor?: string | null }): Promise<{
    readonly keys: readonly { readonly name: string }[]
    readonly cursor?: string
  }>
}

/** The part of the binding of the Durable Object class `Ledger` that is used. The class also stores the records. */
export interface RecordNamespace {
  idFromName(name: string): unknown
  get(id: unknown): {
    getRecord(key: string): Promise<string | undefined>
    putRecord(key: string, value: string | undefined): Promise<void>
    replaceRecord(key: string, expected: string | undefined, value: string | undefined): Promise<boolean>
  }
}

/** How long KV may keep returning an old value, or a cached miss. Its documentation says "60 seconds or more". */
const LAG_SECONDS = 60

export function kvRegistry(namespace: KvNamespace, objects: RecordNamespace): Registry {
  const shard = (key: string) => objects.get(objects.idFromName(`registry-${shardOf(key, SHARDS)}`))
  return {
    lagSeconds: LAG_SECONDS,
    async get(key, { latest } = { latest: false }) {
      return latest ? shard(key).getRecord(key) : ((await namespace.get(key)) ?? undefined)
    },
    put: async (key, value) => shard(key).putRecord(key, value),
    delete: async (key) => shard(key).putRecord(key, undefined),
    replace: async (key, expected, value) => shard(key).replaceRecord(key, expected, value),
    remove: async (key, expected) => shard(key).replaceRecord(key, expected, undefined),
    async list(prefix, { limit, cursor = null }) {
      const page = await namespace.list({ prefix, limit, cursor })
      const keys = page.keys.map(({ name }) => name)
      return page.cursor ? { keys, cursor: page.cursor } : { keys }
    },
  }
}
