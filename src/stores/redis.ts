/** Both stores in Redis, for fleets: what one process wrote, all see at once. */

import { createClient } from '@redis/client'
import type { Ledger, Registry, Stores } from './contracts.ts'

const RECORD = 'edgemint:registry:'
/** A sorted set of the registry's keys, all of score 0: the order of octets, so that pages neither skip nor repeat. */
const RECORD_KEYS = 'edgemint:registry-keys'
const MARK = 'edgemint:ledger:'

// A mark carries its expiry, so that the caller's clock decides; Redis' own expiry only clears up.
const IS_LIVE = `local held = redis.call('HGET', KEYS[1], 'expires_at')
local live = held and tonumber(held) > tonumber(ARGV[1])`
/** (now, value, expires_at, milliseconds to live) → 1 if the mark was made, else 0. */
const ADD = `${IS_LIVE}
if live then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'expires_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`
/** (now, end of a window opened now, milliseconds to live) → the count. */
const COUNT = `${IS_LIVE}
if live then return redis.call('HINCRBY', KEYS[1], 'value', 1) end
redis.call('HSET', KEYS[1], 'value', 1, 'expires_at', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`

/** (key, value, expected if anything) → 1 if it was written, else 0. */
const REPLACE = `local held = redis.call('GET', KEYS[1])
if held ~= (ARGV[3] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1`

/** A call while there is no connection rejects at once instead of waiting for one. */
const clientFor = (url: string) => createClient({ url, disableOfflineQueue: true })

type Connect = () => Promise<ReturnType<typeof clientFor>>

/**
 * Connects at the first use, and again after a loss.
 *
 * @param url `redis://…` or `rediss://…`
 * @param now epoch seconds
 */
export function redisStores(url: string, now: () => number): Stores {
  const client = clientFor(url)
  // While the client tries to connect again, calls fail at once with what is wrong instead of waiting for it.
  let outage: unknown
  client.on('error', (error: unknown) => {
    outage = error
  })
  client.on('ready', () => {
    outage = undefined
  })
  let connected: Promise<unknown> | undefined
  const connect: Connect = async () => {
    connected ??= client.connect().catch((error: unknown) => {
      connected = undefined
      outage = error
    })
    if (outage === undefined) await connected
    if (!client.isReady) throw new Error('no connection to Redis', { cause: outage })
    return client
  }
  return {
    registry: redisRegistry(connect),
    ledger: redisLedger(connect, now),
    async close() {
      client.destroy()
    },
  }
}

function redisRegistry(connect: Connect): Registry {
  return {
    get: async (key) => (await (await connect()).get(RECORD + key)) ?? undefined,
    async put(key, value) {
      const client = await connect()
      await client
        .multi()
        .set(RECORD + key, value)
        .zAdd(RECORD_KEYS, { score: 0, value: key })
        .exec()
    },
    async delete(key) {
      const client = await connect()
      await client
        .multi()
        .del(RECORD + key)
        .zRem(RECORD_KEYS, key)
        .exec()
    },
    async replace(key, expected, value) {
      const client = await connect()
      const values = expected === undefined ? [key, value] : [key, value, expected]
      return (await client.eval(REPLACE, { keys: [RECORD + key, RECORD_KEYS], arguments: values })) === 1
    },
    async list(prefix, { limit, cursor }) {
      const client = await connect()
      const from = cursor === undefined ? `[${prefix}` : `(${cursor}`
      const range = { BY: 'LEX', LIMIT: { offset: 0, count: limit } } as const
      const keys = await client.zRange(RECORD_KEYS, from, `(${prefix}\u{10ffff}`, range)
      const last = keys.at(-1)
      return keys.length === limit && last !== undefined ? { keys, cursor: last } : { keys }
    },
  }
}

function redisLedger(connect: Connect, now: () => number): Ledger {
  const run = async (script: string, key: string, ...values: (string | number)[]): Promise<number> => {
    const client = await connect()
    return Number(await client.eval(script, { keys: [MARK + key], arguments: [now(), ...values].map(String) }))
  }
  return {
    async add(key, value, expiresAt) {
      const milliseconds = Math.max(1, (expiresAt - now()) * 1000)
      return (await run(ADD, key, value, expiresAt, milliseconds)) === 1
    },
    count: (key, windowSeconds) => run(COUNT, key, now() + windowSeconds, windowSeconds * 1000),
    async get(key) {
      const client = await connect()
      const [value, expiresAt] = await client.hmGet(MARK + key, ['value', 'expires_at'])
      return Number(expiresAt) > now() ? (value ?? undefined) : undefined
    },
    async delete(key) {
      await (await connect()).del(MARK + key)
    },
  }
}
