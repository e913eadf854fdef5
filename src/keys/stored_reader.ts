/** Reads the stored keys of an issuer: once before the first answer, then off the path of requests. A good set outlives the store. */

import { OAuthError, temporarilyUnavailable } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { Registry } from '../stores/contracts.ts'
import type { KeyEncryptionKeys } from './key_encryption.ts'
import { keySetKey, type OpenedKey, openStoredKey, parseKeySet, type StoredKey } from './stored_set.ts'

/** Keys that are looked at again on demand are read this often at most. */
const FRESH_SECONDS = 5

/** Time that a caller waits for a reading that another caller began. */
const SHARED_SECONDS = 8

/** After this part of the interval, a reading that failed is tried again. */
const RETRY_PART = 1 / 4

/** The keys as they were read. */
export interface Held {
  readonly text: string | undefined
  readonly keys: readonly OpenedKey[]
  /** Those that are not what their `kid` says. */
  readonly unusable: readonly StoredKey[]
}

export interface ReaderOptions {
  readonly issuer: string
  readonly registry: Registry
  readonly keyEncryptionKeys: () => Promise<KeyEncryptionKeys>
  readonly readSeconds: number
  readonly emit: Emit
  background(work: Promise<unknown>): void
  /** Makes the first keys. */
  start(now: number): Promise<void>
  /** Whether the keys need not be read again past the caches. */
  isUsable(held: Held, now: number): boolean
}

/** Instants are epoch seconds. Each function rejects with OAuthError `temporarily_unavailable` while no keys have been read. */
export interface StoredReader {
  /** Returns the keys. Has them read again when it is time, and does not wait for that. */
  at(now: number): Held | Promise<Held>
  /** Returns the keys as they were stored some seconds ago at most or, while the store fails, as they were read last. */
  fresh(now: number): Promise<Held>
  /** Reads the keys past all caches. */
  readLatest(now: number): Promise<Held>
}

export function storedReader(options: ReaderOptions): StoredReader {
  const { readSeconds, registry } = options
  const flight = singleFlight<Held>(SHARED_SECONDS)
  const fetchKeys = inOrder(keyFetcher(options))
  let held: Held | undefined
  let [readAt, triedAt, nextAt, latestAt] = [0, Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]

  const keep = (next: Held, now: number): Held => {
    ;[held, readAt, nextAt] = [next, now, now + readSeconds * (0.9 + 0.2 * Math.random())]
    return next
  }
  const read = async (now: number, latest: boolean): Promise<Held> => {
    ;[triedAt, nextAt] = [now, now + Math.max(1, readSeconds * RETRY_PART)]
    // A copy that is late must not replace what was read past it.
    if (!latest && held !== undefined && isWithin(now, latestAt, registry.lagSeconds ?? 0)) return keep(held, now)
    if (latest) latestAt = now
    const next = await fetchKeys(latest, held)
    // Nothing deletes the record: it was lost, or a copy of it is late.
    if (next.text === undefined && held?.text !== undefined) throw new TypeError('there is no record')
    return keep(next, now)
  }
  const first = async (now: number): Promise<Held> =>
    available(async () => {
      const next = await flight('first', () => readFirst(options, fetchKeys, now))
      ;[triedAt, latestAt] = [now, now]
      return keep(next, now)
    })
  const again = (now: number): Promise<Held | undefined> =>
    flight('again', () => read(now, false)).catch((error: unknown) => {
      reportStale(options, Math.max(0, now - readAt), error)
      return held
    })
  return {
    at(now) {
      if (held === undefined) return first(now)
      if (now >= nextAt || now < readAt) options.background(again(now))
      return held
    },
    async fresh(now) {
      const isFresh = isWithin(now, triedAt, Math.min(FRESH_SECONDS, readSeconds))
      if (held === undefined || isFresh) return held ?? first(now)
      return (await again(now)) ?? held
    },
    async readLatest(now) {
      if (held === undefined) await first(now)
      return available(() => read(now, true))
    },
  }
}

/** A clock that went back is within nothing. */
function isWithin(now: number, since: number, seconds: number): boolean {
  return now >= since && now < since + seconds
}

function reportStale({ issuer, emit }: ReaderOptions, age_seconds: number, error: unknown): void {
  emit({ event: 'record_served_stale', key: keySetKey(issuer), age_seconds, cause: causeText(error) })
}

type FetchKeys = (latest: boolean, held?: Held) => Promise<Held>

/** Returns the same function, whose readings end in the order in which they began: of one that ends later, the result of its successor. */
function inOrder(fetchKeys: FetchKeys): FetchKeys {
  let begun = 0
  let last: { readonly turn: number; readonly read: Held } | undefined
  return async (latest, held) => {
    const turn = ++begun
    const read = await fetchKeys(latest, held)
    if (last !== undefined && last.turn > turn) return last.read
    last = { turn, read }
    return read
  }
}

/** A reading that is late, or another process that was first, must not be taken for a deployment without keys. */
async function readFirst({ isUsable, start }: ReaderOptions, fetchKeys: FetchKeys, now: number): Promise<Held> {
  const soon = await fetchKeys(false)
  if (soon.text !== undefined && isUsable(soon, now)) return soon
  const latest = await fetchKeys(true)
  if (latest.text !== undefined) return latest
  await start(now)
  return fetchKeys(true)
}

/** Returns a function that reads and opens the keys. The same key stays the same object, so that its tokens can be reused. */
function keyFetcher({ issuer, registry, keyEncryptionKeys, emit }: ReaderOptions): FetchKeys {
  const opened = new Map<string, OpenedKey>()
  const openOne = async (stored: StoredKey, keks: KeyEncryptionKeys): Promise<OpenedKey | undefined> => {
    const known = opened.get(JSON.stringify(stored))
    if (known?.canSign) return known
    const key = await openStoredKey(issuer, stored, keks)
    if (!key?.canSign) emit({ event: 'key_undecryptable', kid: stored.kid, kek: stored.private?.kek ?? '' })
    return key
  }
  const open = async (stored: readonly StoredKey[]): Promise<Omit<Held, 'text'>> => {
    const keks = await keyEncryptionKeys()
    const found = await Promise.all(stored.map((each) => openOne(each, keks)))
    const keys = found.filter((each) => each !== undefined)
    opened.clear()
    for (const each of keys) opened.set(JSON.stringify(each.stored), each)
    return { keys, unusable: stored.filter((_each, index) => found[index] === undefined) }
  }
  return async (latest, held) => {
    const text = await registry.get(keySetKey(issuer), { latest })
    if (held?.text === text && held?.unusable.length === 0 && held.keys.every(({ canSign }) => canSign)) return held
    return { text, ...(await open(parseKeySet(text, issuer))) }
  }
}

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw temporarilyUnavailable('store_failed', 'The keys cannot be read.', error)
  }
}
