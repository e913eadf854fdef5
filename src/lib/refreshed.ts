/** A value that is read when it is first needed, kept, and read again when it is no longer fresh. */

import { singleFlight } from './single_flight.ts'

const FIRST_RETRY_SECONDS = 1
const MAX_RETRY_SECONDS = 30

export interface RefreshedOptions<T> {
  readonly load: () => Promise<T>
  /** Returns epoch seconds. */
  readonly now: () => number
  /** Time after which the value is read again; infinite if it never changes. */
  readonly freshSeconds: number
  /** Longest time that `load` takes. */
  readonly maxLoadSeconds: number
}

/**
 * Returns a function that returns the value. Concurrent callers share the first read. After a failure it is read again after a second,
 * and after further failures later, up to 30 seconds; until then callers get the last value, or if there is none, the error. A value that
 * is no longer fresh is read again by one caller; the others get it as it is.
 */
export function refreshed<T>({ load, now, freshSeconds, maxLoadSeconds }: RefreshedOptions<T>): () => Promise<T> {
  const flight = singleFlight<T>(maxLoadSeconds)
  let held: { readonly value: T } | undefined
  let failed: { readonly error: unknown } | undefined
  let retrySeconds = FIRST_RETRY_SECONDS
  let nextAt = Number.NEGATIVE_INFINITY

  const read = async (): Promise<T> => {
    try {
      const value = await load()
      held = { value }
      failed = undefined
      retrySeconds = FIRST_RETRY_SECONDS
      nextAt = now() + freshSeconds
      return value
    } catch (error) {
      failed = { error }
      nextAt = now() + retrySeconds
      retrySeconds = Math.min(retrySeconds * 2, MAX_RETRY_SECONDS)
      throw error
    }
  }

  return async () => {
    const isDue = now() >= nextAt
    if (held === undefined) {
      if (failed !== undefined && !isDue) throw failed.error
      return flight('', read)
    }
    const { value } = held
    if (!isDue) return value
    nextAt = now() + maxLoadSeconds
    return read().catch(() => value)
  }
}
