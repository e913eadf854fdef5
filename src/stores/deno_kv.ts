/** Both stores in Deno KV, for Deno Deploy and for one machine. Reads are strongly consistent: every write is seen at once. */

import { epochSeconds } from '../lib/clock.ts'
import type { Ledger, Level, Registry, Stores } from './contracts.ts'
import { rangeOf } from './ledger_sql.ts'

type Key = readonly string[]

interface Entry {
  readonly key: Key
  readonly value: unknown
  readonly versionstamp: string | null
}

/** The part of `Deno.Kv` that is used. */
export interface DenoKv {
  get(key: Key): Promise<Entry>
  set(key: Key, value: unknown): Promise<unknown>
  delete(key: Key): Promise<void>
  list(range: { start: Key; end: Key }, options: { limit?: number; batchSize?: number }): AsyncIterable<Entry>
  atomic(): {
    check(entry: Pick<Entry, 'key' | 'versionstamp'>): ReturnType<DenoKv['atomic']>
    set(key: Key, value: unknown, options?: { expireIn: number }): ReturnType<DenoKv['atomic']>
    delete(key: Key): ReturnType<DenoKv['atomic']>
    commit(): Promise<{ readonly ok: boolean }>
  }
  close(): void
}

/** Attempts to change one mark. Of concurrent writers one succeeds in each round. */
const MAX_ROUNDS = 1000

/** The largest batch that Deno KV reads. */
const PAGE_ENTRIES = 500

/** How long the database keeps a mark after its expiry, for callers whose clocks are slow. */
const SLACK_SECONDS = 300

interface Mark {
  readonly value: string
  readonly expiresAt: number
}

/**
 * @param open opens the database; called at the first use, and again only if it failed
 * @param now returns epoch seconds
 */
export function denoKvStores(open: () => Promise<DenoKv>, now: () => number = epochSeconds): Stores {
  let opened: Promise<DenoKv> | undefined
  const database = (): Promise<DenoKv> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
  return {
    registry: denoKvRegistry(database),
    ledger: denoKvLedger(database, now),
    close: async () => (await opened)?.close(),
  }
}

function denoKvRegistry(database: () => Promise<DenoKv>): Registry {
  const place = (key: string): Key => ['registry', key]
  return {
    get: async (key) => textOf(await (await database()).get(place(key))),
    async put(key, value) {
      // Octets may use the full 64 KiB; the serialization of a string would count towards the limit.
      await (await database()).set(place(key), new TextEncoder().encode(value))
    },
    async delete(key) {
      await (await database()).delete(place(key))
    },
    async replace(key, expected, value) {
      const kv = await database()
      const entry = await kv.get(place(key))
      if (textOf(entry) !== expected) return false
      return (await kv.atomic().check(entry).set(place(key), new TextEncoder().encode(value)).commit()).ok
    },
    async remove(key, expected) {
      const kv = await database()
      const entry = await kv.get(place(key))
      return textOf(entry) === expected && (await kv.atomic().check(entry).delete(place(key)).commit()).ok
    },
    async list(prefix, { limit, cursor = '' }) {
      if (cursor > prefix && !cursor.startsWith(prefix)) return { keys: [] }
      const start = place(cursor >= prefix ? `${cursor}\0` : prefix)
      const range = { start, end: place(`${prefix}\u{10ffff}`) }
      const keys: string[] = []
      for await (const { key } of (await database()).list(range, { limit })) keys.push(key[1] ?? '')
      const last = keys.at(-1)
      return keys.length === limit && last !== undefined ? { keys, cursor: last } : { keys }
    },
  }
}

function textOf({ value }: Entry): string | undefined {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined
}

const markPlace = (key: string): Key => ['ledger', key]

function denoKvLedger(database: () => Promise<DenoKv>, now: () => number): Ledger {
  const live = ({ value }: Entry): Mark | undefined => {
    const mark = value as Mark | null
    return mark !== null && mark.expiresAt > now() ? mark : undefined
  }
  const change = changer(database, live, now)
  const counted = (held: Mark | undefined): number => Number(held?.value ?? 0) + 1
  return {
    async add(key, value, expiresAt) {
      const held = await change(key, (mark) => (mark === undefined ? { value, expiresAt } : undefined))
      return held === undefined
    },
    async count(key, windowSeconds) {
      const opened = now() + windowSeconds
      const next = (held?: Mark): Mark => ({ value: String(counted(held)), expiresAt: held?.expiresAt ?? opened })
      return counted(await change(key, next))
    },
    async raise(key, value, expiresAt) {
      const raised = (held?: Mark) => Math.max(value, Number(held?.value ?? value))
      const held = await change(key, (mark) => ({
        value: String(raised(mark)),
        expiresAt: Math.max(expiresAt, mark?.expiresAt ?? expiresAt),
      }))
      return raised(held)
    },
    get: async (key) => live(await (await database()).get(markPlace(key)))?.value,
    async *list(family) {
      const { start, end } = rangeOf(family)
      const range = { start: markPlace(start), end: markPlace(end) }
      let page: Level[] = []
      for await (const entry of (await database()).list(range, { batchSize: PAGE_ENTRIES })) {
        const mark = live(entry)
        if (mark !== undefined) page.push({ key: entry.key[1] ?? '', value: Number(mark.value) })
        if (page.length < PAGE_ENTRIES) continue
        yield page
        page = []
      }
      yield page
    },
  }
}

/** Returns a function that changes one mark and returns the previous one. */
function changer(database: () => Promise<DenoKv>, live: (entry: Entry) => Mark | undefined, now: () => number) {
  return async (key: string, decide: (held: Mark | undefined) => Mark | undefined): Promise<Mark | undefined> => {
    const kv = await database()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const entry = await kv.get(markPlace(key))
      const held = live(entry)
      const next = decide(held)
      if (next === undefined) return held
      const expireIn = (Math.max(0, next.expiresAt - now()) + SLACK_SECONDS) * 1000
      const { ok } = await kv.atomic().check(entry).set(markPlace(key), next, { expireIn }).commit()
      if (ok) return held
    }
    throw new Error(`Deno KV had a newer version of the mark ${MAX_ROUNDS} times`)
  }
}
