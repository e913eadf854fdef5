/** What every backend gives: records that are read often, and marks that are made once. */

/** Keys in the order of their octets. */
export interface Page {
  readonly keys: readonly string[]
  /** For the next page; absent when this was the last. */
  readonly cursor?: string
}

/**
 * Where records live that are read often and written seldom. Keys are ASCII, values JSON texts of up to 64 KiB. A write
 * may take the backend's time to be seen elsewhere, but never gets lost once its promise has resolved.
 *
 * Every function rejects when the backend fails.
 */
export interface Registry {
  get(key: string): Promise<string | undefined>
  put(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  /**
   * Writes unless somebody else did: gives whether what was stored is `expected`, undefined for nothing. A backend that is
   * only eventually consistent has no such function.
   */
  replace?(key: string, expected: string | undefined, value: string): Promise<boolean>
  /** Deletes unless somebody else wrote: gives whether what was stored is `expected`. Goes with `replace`. */
  remove?(key: string, expected: string): Promise<boolean>
  /** @param options `limit` 1 to 1000; `cursor` as the page before gave it, for the same prefix */
  list(prefix: string, options: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page>
}

/**
 * Where marks live that must be made once or counted, and be seen at once by every process and isolate. Each function is
 * atomic. Instants are epoch seconds by the clock that the ledger was opened with.
 *
 * Every function rejects when the backend fails.
 */
export interface Ledger {
  /** Gives true to exactly one caller for a key until the mark expires, false to all others. */
  add(key: string, value: string, expiresAt: number): Promise<boolean>
  /** Counts this call and gives how many there were within the window, which the first of them opened. */
  count(key: string, windowSeconds: number): Promise<number>
  get(key: string): Promise<string | undefined>
  delete(key: string): Promise<void>
  /** Gives live marks under a prefix, `revoked:` or `cut:`, in no order; at most `limit`. */
  list(prefix: ListedPrefix, limit: number): Promise<readonly Mark[]>
}

/** Marks that can be listed; a backend may have to keep an index of them. */
export type ListedPrefix = (typeof LISTED_PREFIXES)[number]

export const LISTED_PREFIXES = ['revoked:', 'cut:'] as const

/** One mark of the ledger. */
export interface Mark {
  readonly key: string
  readonly value: string
}

/** Both needs, met by one backend or by two. */
export interface Stores {
  readonly registry: Registry
  readonly ledger: Ledger
  /** Lets go of files and connections; nothing may be asked afterwards. */
  close(): Promise<void>
}
