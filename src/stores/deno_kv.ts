/** Both stores in Deno KV, for Deno Deploy and for one machine: reads are strongly consistent, what one wrote, all see. */

import type { Ledger, Registry, Stores } from './contracts.ts'

type Key = readonly string[]

interface Entry {
  readonly key: Key
  readonly value: unknown
  readonly versionstamp: string | null
}

/** What is used of `Deno.Kv`. */
export interface DenoKv {
  get(key: Key): Promise<Entry>
  set(key: Key, value: unknown): Promise<unknown>
  delete(key: Key): Promise<void>
  list(range: { start: Key; end: Key }, options: { limit: number }): AsyncIterable<Entry>
  atomic(): {
    check(entry: Pick<Entry, 'key' | 'versionstamp'>): ReturnType<DenoKv['atomic']>
    set(key: Key, value: unknown, options?: { expireIn: number }): ReturnType<DenoKv['atomic']>
    delete(key: Key): ReturnType<DenoKv['atomic']>
    commit(): Promise<{ readonly ok: boolean }>
  }
  close(): void
}

/** How long the database keeps a mark beyond its expiry, for callers whose clocks are late. */
const SLACK_SECONDS = 300

interface Mark {
  readonly value: string
  readonly expiresAt: number
}

/**
 * @param open gives the database; asked once, at the first use
 * @param now epoch seconds
 */
export function denoKvStores(open: () => Promise<DenoKv>, now: () => number): Stores {
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
      // As octets a value may have the full 64 KiB; as a string its wrapping would count, too.
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
      const beyond = `${prefix}\u{10ffff}`
      if (cursor > beyond) return { keys: [] }
      const start = place(cursor > prefix ? `${cursor}\0` : prefix)
      const range = { start, end: place(beyond) }
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

function denoKvLedger(database: () => Promise<DenoKv>, now: () => number): Ledger {
  const place = (key: string): Key => ['ledger', key]
  const live = ({ value }: Entry): Mark | undefined => {
    const mark = value as Mark | null
    return mark !== null && mark.expiresAt > now() ? mark : undefined
  }
  /** Reads, decides, and writes unless somebody was faster; then anew. Gives the mark that stood before. */
  const change = async (
    key: string,
    decide: (held: Mark | undefined) => Mark | undefined,
  ): Promise<Mark | undefined> => {
    const kv = await database()
    for (;;) {
      const entry = await kv.get(place(key))
      const held = live(entry)
      const next = decide(held)
      if (next === undefined) return held
      const expireIn = (Math.max(0, next.expiresAt - now()) + SLACK_SECONDS) * 1000
      const { ok } = await kv.atomic().check(entry).set(place(key), next, { expireIn }).commit()
      if (ok) return held
    }
  }
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
    async list(prefix, limit) {
      const range = { start: place(prefix), end: place(`${prefix}\u{10ffff}`) }
      const marks: { key: string; value: string }[] = []
      for await (const entry of (await database()).list(range, { limit })) {
        const mark = live(entry)
        if (mark !== undefined) marks.push({ key: entry.key[1] ?? '', value: mark.value })
      }
      return marks
    },
    get: async (key) => live(await (await database()).get(place(key)))?.value,
    async delete(key) {
      await (await database()).delete(place(key))
    },
  }
}
