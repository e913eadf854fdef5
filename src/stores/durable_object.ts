/** The ledger in Durable Objects, each a shard of the keys with an SQLite database of its own; seen at once everywhere. */

import { DurableObject, type DurableObjectState } from 'cloudflare:workers'
import type { Ledger as LedgerContract, Mark } from './contracts.ts'
import {
  LEDGER_ADD,
  LEDGER_COUNT,
  LEDGER_DELETE,
  LEDGER_GET,
  LEDGER_LIST,
  LEDGER_NEXT_EXPIRY,
  LEDGER_SCHEMA,
  LEDGER_SWEEP,
  SLACK_SECONDS,
  SWEEP_ROWS,
} from './ledger_sql.ts'

/** Changing it moves keys to other shards and so forgets their marks. */
const SHARDS = 32

/** Between two sweeps of a shard. */
const SWEEP_SECONDS = 60

/** The class that wrangler.toml binds as LEDGER. The Worker's clock comes with each call. */
export class Ledger extends DurableObject {
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env)
    ctx.storage.sql.exec(LEDGER_SCHEMA)
  }

  async add(key: string, value: string, expiresAt: number, now: number): Promise<boolean> {
    const made = this.ctx.storage.sql.exec(LEDGER_ADD, key, value, expiresAt, now).toArray().length === 1
    await this.#sweepLater()
    return made
  }

  async count(key: string, windowSeconds: number, now: number): Promise<number> {
    const { value } = this.ctx.storage.sql.exec(LEDGER_COUNT, key, now + windowSeconds, now).one()
    await this.#sweepLater()
    return Number(value)
  }

  async get(key: string, now: number): Promise<string | undefined> {
    const [row] = this.ctx.storage.sql.exec(LEDGER_GET, key, now).toArray()
    return row === undefined ? undefined : String(row['value'])
  }

  async list(prefix: string, limit: number, now: number): Promise<Mark[]> {
    const rows = this.ctx.storage.sql.exec(LEDGER_LIST, prefix, `${prefix}\u{10ffff}`, now, limit).toArray()
    return rows.map(({ key, value }) => ({ key: String(key), value: String(value) }))
  }

  async delete(key: string): Promise<void> {
    this.ctx.storage.sql.exec(LEDGER_DELETE, key)
  }

  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage
    const swept = sql.exec(LEDGER_SWEEP, Math.floor(Date.now() / 1000) - SLACK_SECONDS).toArray().length
    const isEmpty = sql.exec(LEDGER_NEXT_EXPIRY).one()['next'] === null
    if (!isEmpty) await this.#sweepLater(swept < SWEEP_ROWS ? SWEEP_SECONDS : 0)
  }

  async #sweepLater(seconds = SWEEP_SECONDS): Promise<void> {
    const { storage } = this.ctx
    if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now() + seconds * 1000)
  }
}

/** What is used of the binding of {@link Ledger}. */
export interface LedgerNamespace {
  idFromName(name: string): unknown
  get(id: unknown): Pick<Ledger, 'add' | 'count' | 'get' | 'delete' | 'list'>
}

/** @param now epoch seconds */
export function durableLedger(namespace: LedgerNamespace, now: () => number): LedgerContract {
  const shard = (key: string) => namespace.get(namespace.idFromName(`ledger-${hash(key) % SHARDS}`))
  return {
    add: async (key, value, expiresAt) => shard(key).add(key, value, expiresAt, now()),
    count: async (key, windowSeconds) => shard(key).count(key, windowSeconds, now()),
    get: async (key) => shard(key).get(key, now()),
    delete: async (key) => shard(key).delete(key),
    async list(prefix, limit) {
      const shards = Array.from({ length: SHARDS }, (_, index) =>
        namespace.get(namespace.idFromName(`ledger-${index}`)),
      )
      const marks = await Promise.all(shards.map((each) => each.list(prefix, limit, now())))
      return marks.flat().slice(0, limit)
    },
  }
}

/** FNV-1a, 32 bits: spreads keys over shards; nothing secret hangs on it. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
