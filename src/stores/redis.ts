/** Both stores in Redis, for fleets: what one process wrote, all see at once. */

import { createClient } from '@redis/client'
import { within } from '../lib/within.ts'
import { type Ledger, LISTED_PREFIXES, type Registry, type Stores } from './contracts.ts'

const RECORD = 'edgemint:registry:'
/** A sorted set of the registry's keys, all of score 0: the order of octets, so that pages neither skip nor repeat. */
const RECORD_KEYS = 'edgemint:registry-keys'
const MARK = 'edgemint:ledger:'
/** Sorted sets of the marks that can be listed, by their expiry. */
const INDEX = 'edgemint:ledger-index:'

/** A server that gives no answer for so long is left, and connected to anew. */
const ANSWER_SECONDS = 1.5

const MAX_QUEUED_COMMANDS = 10_000

/** How long Redis keeps a mark beyond its expiry, for callers whose clocks are late. */
const SLACK_SECONDS = 300

// A mark carries its expiry, so that the caller's clock decides; Redis' own expiry only clears up.
const IS_LIVE = `local held = redis.call('HGET', KEYS[1], 'expires_at')
local live = held and tonumber(held) > tonumber(ARGV[1])`
/** (now, value, expires_at, milliseconds to live, key in the index if there is one) → 1 if the mark was made, else 0. */
const ADD = `${IS_LIVE}
if live then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'expires_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if KEYS[2] then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. (tonumber(ARGV[1]) - ${SLACK_SECONDS}))
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[5])
end
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
/** (key, expected) → 1 if it was removed, else 0. */
const REMOVE = `if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`

/** A call while there is no connection rejects at once instead of waiting for one. */
const clientFor = (url: string) =>
  createClient({ url, disableOfflineQueue: true, commandsQueueMaxLength: MAX_QUEUED_COMMANDS })

type Client = ReturnType<typeof clientFor>

/** Runs commands on a connection, each operation within its time. */
type Use = <T>(operation: (client: Client) => Promise<T>) => Promise<T>

/**
 * Connects at the first use, again after a loss, and anew when the server does not answer.
 *
 * @param url `redis://…` or `rediss://…`
 * @param now epoch seconds
 */
export function redisStores(url: string, now: () => number): Stores {
  let connection = openConnection(url)
  const use: Use = async (operation) => {
    const used = connection
    let isAnswered = false
    const answer = (async () => operation(await used.ready()))().finally(() => {
      isAnswered = true
    })
    try {
      return await within(ANSWER_SECONDS, answer, `Redis gave no answer within ${ANSWER_SECONDS} s`)
    } catch (error) {
      // A connection that went silent stays so; what waits in its queue goes with it.
      if (!isAnswered && used === connection) {
        connection = openConnection(url)
        used.client.destroy()
      }
      throw error
    }
  }
  return {
    registry: redisRegistry(use),
    ledger: redisLedger(use, now),
    close: async () => connection.client.destroy(),
  }
}

interface Connection {
  readonly client: Client
  /** Rejects, with what is wrong, while there is no connection. */
  ready(): Promise<Client>
}

function openConnection(url: string): Connection {
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
  return {
    client,
    async ready() {
      connected ??= client.connect().catch((error: unknown) => {
        connected = undefined
        outage = error
      })
      if (outage === undefined) await connected
      if (!client.isReady) throw new Error('no connection to Redis', { cause: outage })
      return client
    },
  }
}

function redisRegistry(use: Use): Registry {
  const change = (script: string, key: string, ...values: string[]): Promise<boolean> =>
    use(async (client) => {
      const keys = [RECORD + key, RECORD_KEYS]
      return (await client.eval(script, { keys, arguments: [key, ...values] })) === 1
    })
  return {
    get: (key) => use(async (client) => (await client.get(RECORD + key)) ?? undefined),
    put: (key, value) =>
      use(async (client) => {
        const both = client
          .multi()
          .set(RECORD + key, value)
          .zAdd(RECORD_KEYS, { score: 0, value: key })
        await both.exec()
      }),
    delete: (key) =>
      use(async (client) => {
        const both = client
          .multi()
          .del(RECORD + key)
          .zRem(RECORD_KEYS, key)
        await both.exec()
      }),
    replace: (key, expected, value) => change(REPLACE, key, value, ...(expected === undefined ? [] : [expected])),
    remove: (key, expected) => change(REMOVE, key, expected),
    list: (prefix, { limit, cursor = '' }) =>
      use(async (client) => {
        const from = cursor > prefix ? `(${cursor}` : `[${prefix}`
        const range = { BY: 'LEX', LIMIT: { offset: 0, count: limit } } as const
        const keys = await client.zRange(RECORD_KEYS, from, `(${prefix}\u{10ffff}`, range)
        const last = keys.at(-1)
        return keys.length === limit && last !== undefined ? { keys, cursor: last } : { keys }
      }),
  }
}

function redisLedger(use: Use, now: () => number): Ledger {
  const run = (script: string, key: string, ...values: (string | number)[]): Promise<number> =>
    use(async (client) => {
      const prefix = LISTED_PREFIXES.find((each) => key.startsWith(each))
      const keys = prefix === undefined ? [MARK + key] : [MARK + key, INDEX + prefix]
      return Number(await client.eval(script, { keys, arguments: [now(), ...values].map(String) }))
    })
  const millisecondsTo = (expiresAt: number): number => Math.max(0, expiresAt - now()) * 1000 + SLACK_SECONDS * 1000
  return {
    add: async (key, value, expiresAt) => (await run(ADD, key, value, expiresAt, millisecondsTo(expiresAt), key)) === 1,
    count: (key, windowSeconds) => run(COUNT, key, now() + windowSeconds, millisecondsTo(now() + windowSeconds)),
    get: (key) =>
      use(async (client) => {
        const [value, expiresAt] = await client.hmGet(MARK + key, ['value', 'expires_at'])
        return Number(expiresAt) > now() ? (value ?? undefined) : undefined
      }),
    delete: (key) =>
      use(async (client) => {
        await client.del(MARK + key)
      }),
    list: (prefix, limit) =>
      use(async (client) => {
        const keys = await client.zRange(INDEX + prefix, `(${now()}`, '+inf', {
          BY: 'SCORE',
          LIMIT: { offset: 0, count: limit },
        })
        const values = await Promise.all(keys.map((key) => client.hGet(MARK + key, 'value')))
        return keys.flatMap((key, index) => {
          const value = values[index] ?? undefined
          return value === undefined ? [] : [{ key, value }]
        })
      }),
  }
}
