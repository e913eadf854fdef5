/** The spread of keys over Durable Objects. */

/** Returns the number of a key's shard: FNV-1a, 32 bits. Nothing secret depends on it. */
export function shardOf(key: string, shards: number): number {
  let value = 0x811c9dc5
  for (let index = 0; index < key.length; index++) value = Math.imul(value ^ key.charCodeAt(index), 0x01000193)
  return (value >>> 0) % shards
}
