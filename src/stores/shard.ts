/** Returns the number of a key's shard, by 32-bit FNV-1a. Durable Objects hold one shard each; nothing secret depends on it. */
export function shardOf(key: string, shards: number): number {
  let value = 0x811c9dc5
  for (let index = 0; index < key.length; index++) value = Math.imul(value ^ key.charCodeAt(index), 0x01000193)
  return (value >>> 0) % shards
}
