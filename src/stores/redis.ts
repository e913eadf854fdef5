/** Both stores in Redis, for several machines: every process sees a write at once. */

import { createClient } from '@redis/client'
import { epochSeconds } from '../lib/clock.ts'
import { within } from '../lib/within.ts'
import type { Ledger, Level, Registry, Stores } from './contracts.ts'
import {
  INDEX,
  LEDGER_ADD,
  LEDGER_COUNT,
  LEDGER_LIST,
  LEDGER_RAISE,
  MARK,
  RECORD,
  RECORD_KEYS,
  REGISTRY_REMOVE,
  REGISTRY_REPLACE,
  SLACK_SECONDS,
} from './redis_scripts.ts'

/** How long a command may take. After that the connection is replaced. */
const ANSWER_SECONDS = 1.5

const MAX_QUEUED_COMMANDS = 10_000

/** Calls without a connection reject at once instead of waiting in an offline queue. */
const clientFor = (url: string) =>
  createClient({ url, disableOfflineQueue: true, commandsQueueMaxLength: MAX_QUEUED_COMMANDS })

type Client = ReturnType<typeof clientFor>

/** Runs an operation on the current connection, within the time limit. */
type Use = <T>(operation: (client: Client) => Promise<T>) => Promise<T>

/**
 * Connects at the first use, reconnects after a lost connection, and opens a new connection if the server does not answer.
 *
 * @param url `redis://…` or `rediss://…`
 * @param now returns epoch seconds
 */
export function redisStores(url: string, now: () => number = epochSeconds): Stores {
  let connection = openConnection(url)
  const use: Use = async (operation) => {
    const used = connection
    let isAnswered = false
    const answer = (async () => operation(await used.ready()))().finally(() => {
      isAnswered = true
    })
    try {
      return await within(ANSWER_SECONDS, answer, `Redis did not answer within ${ANSWER_SECONDS} s`)
    } catch (error) {
      // A connection that went silent does not recover. Destroying it also rejects the commands in its queue.
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
  /** Resolves if connected, otherwise rejects with the reason. */
  ready(): Promise<Client>
}

function openConnection(url: string): Connection {
  const client = clientFor(url)
  // While the client reconnects, calls fail at once with this error instead of waiting.
  let outage: unknown
  client.on('error', (error: unknown) => {
    outage = error
  })
  client.on('ready', () => {
    outage = undefined
  })
  // The promise of `connect` stays pending while the client retries, so the first call must not wait for it alone.
  const firstOutage = new Promise<void>((resolve) => client.once('error', () => resolve()))
  let connected: Promise<unknown> | undefined
  const connect = (): Promise<unknown> =>
    client.connect().catch((error: unknown) => {
      connected = undefined
      outage = error
    })
  return {
    client,
    async ready() {
      connected ??= Promise.race([firstOutage, connect()])
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
    replace: (key, expected, value) =>
      change(REGISTRY_REPLACE, key, value, ...(expected === undefined ? [] : [expected])),
    remove: (key, expected) => change(REGISTRY_REMOVE, key, expected),
    list: (prefix, { limit, cursor = '' }) =>
      use(async (client) => {
        const from = cursor >= prefix ? `(${cursor}` : `[${prefix}`
        const range = { BY: 'LEX', LIMIT: { offset: 0, count: limit } } as const
        const keys = await client.zRange(RECORD_KEYS, from, `(${prefix}\u{10ffff}`, range)
        const last = keys.at(-1)
        return keys.length === limit && last !== undefined ? { keys, cursor: last } : { keys }
      }),
  }
}

function redisLedger(use: Use, now: () => number): Ledger {
  const indexOf = (family: string): string => `${INDEX}${family}:`
  const run = (script: string, keys: string[], ...values: (string | number)[]): Promise<number> =>
    use(async (client) => Number(await client.eval(script, { keys, arguments: [now(), ...values].map(String) })))
  const millisecondsTo = (expiresAt: number): number => Math.max(0, expiresAt - now()) * 1000 + SLACK_SECONDS * 1000
  return {
    add: async (key, value, expiresAt) =>
      (await run(LEDGER_ADD, [MARK + key], value, expiresAt, millisecondsTo(expiresAt))) === 1,
    count: (key, windowSeconds) =>
      run(LEDGER_COUNT, [MARK + key], now() + windowSeconds, millisecondsTo(now() + windowSeconds)),
    raise: (key, value, expiresAt) =>
      run(LEDGER_RAISE, [MARK + key, indexOf(key.slice(0, key.indexOf(':')))], value, expiresAt, key),
    get: (key) =>
      use(async (client) => {
        const [value, expiresAt] = await client.hmGet(MARK + key, ['value', 'expires_at'])
        return Number(expiresAt) > now() ? (value ?? undefined) : undefined
      }),
    async *list(family) {
      let cursor = '0'
      do {
        const values = [now(), cursor].map(String)
        const page = await use((client) => client.eval(LEDGER_LIST, { keys: [indexOf(family)], arguments: values }))
        const [next, ...levels] = page as [string, ...string[]]
        yield toLevels(levels)
        cursor = next
      } while (cursor !== '0')
    },
  }
}

/** @param flat alternating keys and values */
function toLevels(flat: readonly string[]): readonly Level[] {
  return flat.flatMap((key, index) => (index % 2 === 0 ? [{ key, value: Number(flat[index + 1]) }] : []))
}
