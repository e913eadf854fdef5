/** What every backend gives: records that are read often, and marks that are made once. */

/** Keys in the order of their octets. */
export interface Page {
  readonly keys: readonly string[]
  /** For the next page; absent when this was the last. */
  readonly cursor?: string
}

/** How a record is read. */
export interface ReadOptions {
  /** Whether every write that was made anywhere has to be seen, whatever it costs: for what a change is decided on. */
  readonly latest: boolean
}

/**
 * Where records live that are read often and written seldom. Keys are ASCII, values JSON texts of up to 64 KiB. A write
 * may take the backend's time to be seen elsewhere, except by a read of the latest, but never gets lost once its promise has resolved.
 *
 * Every function rejects when the backend fails. A write that rejects may have been made all the same.
 */
export interface Registry {
  /** How long after a write a reader elsewhere may still be given what was there before; absent for not at all. */
  readonly lagSeconds?: number
  get(key: string, options?: ReadOptions): Promise<string | undefined>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  /** Writes if what is stored, everywhere, is `expected`, undefined for nothing; returns whether it was. */
  replace(key: string, expected: string | undefined, value: string): Promise<boolean>
  /** Deletes if what is stored, everywhere, is `expected`; returns whether it was. */
  remove(key: string, expected: string): Promise<boolean>
  /** @param options `limit` 1 to 1000; `cursor` as the page before gave it, for the same prefix */
  list(prefix: string, options: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page>
}

/**
 * Marks, counters and levels that every process and isolate sees at once. Each function but `list` is atomic. A key is used
 * with one of `add`, `count` and `raise` only. Instants are epoch seconds by the clock that the ledger was opened with.
 *
 * Every function rejects when the backend fails.
 */
export interface Ledger {
  /** Makes a mark: returns true to exactly one caller per key until the mark expires, false to all others. */
  add(key: string, value: string, expiresAt: number): Promise<boolean>
  /** Counts this call and returns how many there were within the window, which the first of them opened. */
  count(key: string, windowSeconds: number): Promise<number>
  /**
   * Raises a level, which never falls before it expires: of the level that is there and the one that is given, the larger
   * value and the later expiry stand. Returns the value that stands.
   */
  raise(key: string, value: number, expiresAt: number): Promise<number>
  get(key: string): Promise<string | undefined>
  /**
   * Lists the live levels of a family, the part of their keys before the first colon, page by page in no order. A level
   * that is raised during the listing may appear twice, with either value.
   */
  list(family: string): AsyncIterable<readonly Level[]>
}

/** One level of the ledger. */
export interface Level {
  readonly key: string
  readonly value: number
}

/** Both needs, met by one backend or by two. */
export interface Stores {
  readonly registry: Registry
  readonly ledger: Ledger
  /** Lets go of files and connections; nothing may be asked afterwards. */
  close(): Promise<void>
}
