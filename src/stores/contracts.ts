/** The contracts of every backend: a registry of records that are read often, and a ledger of marks that are made once. */

/** One page of keys, in the order of their octets. */
export interface Page {
  readonly keys: readonly string[]
  /** Cursor of the next page; absent on the last page. */
  readonly cursor?: string
}

export interface ReadOptions {
  /** Whether the read must see every completed write, whatever it costs. Reads that decide on a change need it. */
  readonly latest: boolean
}

/**
 * Records that are read often and written rarely. Keys are ASCII, values JSON texts of up to 64 KiB. A write is never lost
 * once its promise has resolved, but other readers may see it later, unless they read with `latest`.
 *
 * Every function rejects if the backend fails; `guardStores` makes that the answer 503. A write that rejects may have been made
 * nevertheless.
 */
export interface Registry {
  /** How long after a write another reader may still get the old value; absent if never. */
  readonly lagSeconds?: number
  get(key: string, options?: ReadOptions): Promise<string | undefined>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  /** Writes if the latest stored value is `expected`, undefined for no record. Returns whether it was written. */
  replace(key: string, expected: string | undefined, value: string): Promise<boolean>
  /** Deletes if the latest stored value is `expected`. Returns whether it was deleted. */
  remove(key: string, expected: string): Promise<boolean>
  /** @param options `limit` 1 to 1000; `cursor` from the previous page of the same prefix */
  list(prefix: string, options: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page>
}

/**
 * Marks, counters and levels that every process and isolate sees at once. Every function except `list` is atomic. A key is
 * used with only one of `add`, `count` and `raise`. Instants are epoch seconds of the clock that the ledger was opened with.
 *
 * Every function rejects if the backend fails; `guardStores` makes that the answer 503.
 */
export interface Ledger {
  /** Makes a mark. Until it expires, exactly one caller per key gets true and all others get false. */
  add(key: string, value: string, expiresAt: number): Promise<boolean>
  /** Counts this call. Returns the number of calls in the window, which the first of them opened. */
  count(key: string, windowSeconds: number): Promise<number>
  /**
   * Raises a level, which never falls before it expires: the larger of the stored and the new value is kept, and the later of
   * the two expiries. Returns the value that is kept.
   */
  raise(key: string, value: number, expiresAt: number): Promise<number>
  get(key: string): Promise<string | undefined>
  /**
   * Lists the levels of a family that have not expired, in pages and in no order. The family is the part of a key before the
   * first colon. A level that is raised during the listing may appear twice, with either value.
   */
  list(family: string): AsyncIterable<readonly Level[]>
}

/** One level of the ledger. */
export interface Level {
  readonly key: string
  readonly value: number
}

/** A registry and a ledger, of one backend or of two. */
export interface Stores {
  readonly registry: Registry
  readonly ledger: Ledger
  /** Closes files and connections. The stores must not be used afterwards. */
  close(): Promise<void>
}
