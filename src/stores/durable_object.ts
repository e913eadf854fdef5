/**
 * The ledger and the records in Durable Objects. Each object has a shard of the keys and its own SQLite database, and a write is
 * seen everywhere at once.
 */

import { DurableObject, type DurableObjectState } from 'cloudflare:workers'
import { epochSeconds } from '../lib/clock.ts'
import { wakeWithin } from './alarm.ts'
import type { Ledger as LedgerContract, Level } from './contracts.ts'
import { type DurableRecords, durableRecords } from './durable_records.ts'
import type { KvNamespace } from './kv.ts'
import {
  LEDGER_ADD,
  LEDGER_COUNT,
  LEDGER_GET,
  LEDGER_LIST,
  LEDGER_NEXT_EXPIRY,
  LEDGER_RAISE,
  LEDGER_SCHEMA,
  LEDGER_SWEEP,
  LIST_ROWS,
  rangeOf,
  SLACK_SECONDS,
  SWEEP_ROWS,
} from './ledger_sql.ts'
import { shardOf } from './shard.ts'

/** Changing this moves keys to other shards, which have none of their marks. */
const SHARDS = 32

/** Interval between two sweeps of a shard. */
const SWEEP_SECONDS = 60

/** The class that wrangler.toml binds as LEDGER. Each call passes the time of the Worker's clock. */
export class Ledger extends DurableObject {
  readonly #records: DurableRecords

  constructor(ctx: DurableObjectState, env: { readonly CLIENTS: KvNamespace }) {
    super(ctx, env)
    ctx.storage.sql.exec(LEDGER_SCHEMA)
    this.#records = durableRecords(ctx.storage, env.CLIENTS, epochSeconds)
  }

  async add(key: string, value: string, expiresAt: number, now: number): Promise<boolean> {
    const made = this.ctx.storage.sql.exec(LEDGER_ADD, key, value, expiresAt, now).toArray().length === 1
    await this.#sweepAfter(expiresAt)
    return made
  }

  async count(key: string, windowSeconds: number, now: number): Promise<number> {
    const { value } = this.ctx.storage.sql.exec(LEDGER_COUNT, key, now + windowSeconds, now).one()
    await this.#sweepAfter(now + windowSeconds)
    return Number(value)
  }

  async get(key: string, now: number): Promise<string | undefined> {
    const [row] = this.ctx.storage.sql.exec(LEDGER_GET, key, now).toArray()
    return row === undefined ? undefined : String(row['value'])
  }

  async raise(key: string, value: number, expiresAt: number, now: number): Promise<number> {
    const row = this.ctx.storage.sql.exec(LEDGER_RAISE, key, value, expiresAt, now).one()
    await this.#sweepAfter(expiresAt)
    return Number(row['value'])
  }

  /** Returns one page of a family, with the keys after `after`. Only the last page has fewer than LIST_ROWS levels. */
  async list(family: string, after: string, now: number): Promise<Level[]> {
    const rows = this.ctx.storage.sql.exec(LEDGER_LIST, after, rangeOf(family).end, now).toArray()
    return rows.map(({ key, value }) => ({ key: String(key), value: Number(value) }))
  }

  async getRecord(key: string): Promise<string | undefined> {
    return this.#records.get(key)
  }

  async putRecord(key: string, value: string | undefined): Promise<void> {
    await this.#records.put(key, value)
  }

  async replaceRecord(key: string, expected: string | undefined, value: string | undefined): Promise<boolean> {
    return this.#records.replace(key, expected, value)
  }

  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage
    const swept = sql.exec(LEDGER_SWEEP, epochSeconds() - SLACK_SECONDS).toArray().length
    const { next } = sql.exec(LEDGER_NEXT_EXPIRY).one()
    if (swept === SWEEP_ROWS) await wakeWithin(this.ctx.storage, 0)
    else if (next !== null) await this.#sweepAfter(Number(next))
    const seconds = await this.#records.settle()
    if (seconds !== undefined) await wakeWithin(this.ctx.storage, seconds)
  }

  /** Has the alarm sweep once a mark that expires then can go: some live for a month, and each alarm is a write. */
  async #sweepAfter(expiresAt: number): Promise<void> {
    await wakeWithin(this.ctx.storage, Math.max(SWEEP_SECONDS, expiresAt + SLACK_SECONDS - epochSeconds()))
  }
}

/** The part of the binding of {@link Ledger} that is used. */
export interface LedgerNamespace {
  idFromName(name: string): unknown
  get(id: unknown): Pick<Ledger, 'add' | 'count' | 'raise' | 'get' | 'list'>
}

/** @param now returns epoch seconds */
export function durableLedger(namespace: LedgerNamespace, now: () => number = epochSeconds): LedgerContract {
  const shard = (key: string) => namespace.get(namespace.idFromName(`ledger-${shardOf(key, SHARDS)}`))
  return {
    add: async (key, value, expiresAt) => shard(key).add(key, value, expiresAt, now()),
    count: async (key, windowSeconds) => shard(key).count(key, windowSeconds, now()),
    get: async (key) => shard(key).get(key, now()),
    raise: async (key, value, expiresAt) => shard(key).raise(key, value, expiresAt, now()),
    async *list(family) {
      const names = Array.from({ length: SHARDS }, (_, index) => `ledger-${index}`)
      let unfinished = names.map((name) => ({ name, after: rangeOf(family).start }))
      while (unfinished.length > 0) {
        const pages = await Promise.all(
          unfinished.map(async ({ name, after }) => {
            const levels = await namespace.get(namespace.idFromName(name)).list(family, after, now())
            return { name, levels }
          }),
        )
        yield pages.flatMap(({ levels }) => levels)
        unfinished = pages.flatMap(({ name, levels }) => {
          const last = levels.at(-1)
          return last === undefined || levels.length < LIST_ROWS ? [] : [{ name, after: last.key }]
        })
      }
    },
  }
}
