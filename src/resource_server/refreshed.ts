/**
 * A value of another server that is fetched again by its age when a request needs it. There is no timer, because none runs between
 * the requests of a Worker.
 */

import { within } from '../lib/within.ts'

/** A fetch takes no longer. A request of a Worker can be cancelled, and what it began then never settles. */
export const FETCH_SECONDS = 3

/** Pause after a failed fetch while nothing is held. */
const EMPTY_PAUSE_SECONDS = 5

/** After a failed fetch, requests do not wait for another one for this long if a value is held. */
const FAILING_SECONDS = 30

/** Keeps work alive after the response, as `ctx.waitUntil` of a Worker does. */
export type WaitUntil = (work: Promise<unknown>) => void

export interface RefreshOptions<T> {
  /** Returns undefined when what was fetched is not to be used. */
  load(): Promise<T | undefined>
  /** Returns the epoch seconds at which the value was made. Without it, that is when the fetch began. */
  madeAt?(value: T): number
  /** Age from which it is fetched again, while requests use the held value. */
  readonly refreshSeconds: number
  /** Age from which requests wait for that fetch. */
  readonly waitSeconds: number
  /** Minimum time between the begin of two fetches. */
  readonly pauseSeconds: number
  /** Returns epoch seconds. */
  now(): number
  onFailure(cause: unknown): void
}

/** The value that a request uses. It may be older than it should be when the fetch failed. */
export interface Held<T> {
  readonly value: T
  /** Epoch seconds. */
  readonly madeAt: number
}

export interface Refreshed<T> {
  /** Returns the value; undefined when none could ever be fetched. Never rejects. */
  current(waitUntil?: WaitUntil): Held<T> | Promise<Held<T> | undefined>
  /** Returns the value after another fetch, unless the pause forbids it. Never rejects. */
  renewed(): Promise<Held<T> | undefined>
}

interface Flight {
  readonly startedAt: number
  readonly done: Promise<void>
}

/** Returns an empty value. */
export function refreshed<T>(options: RefreshOptions<T>): Refreshed<T> {
  const { now, refreshSeconds, waitSeconds } = options
  let held: Held<T> | undefined
  let flight: Flight | undefined
  let [triedAt, failedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const isWithin = (seconds: number, since: number): boolean => now() >= since && now() < since + seconds

  const load = async (startedAt: number): Promise<void> => {
    try {
      const value = await options.load()
      if (value === undefined) return
      const madeAt = options.madeAt?.(value) ?? startedAt
      // A slow fetch can end after a later one. A value of the future is from before the clock was set back.
      if (held === undefined || madeAt >= held.madeAt || held.madeAt > now()) held = { value, madeAt }
    } catch (cause) {
      failedAt = now()
      options.onFailure(cause)
    }
  }
  /** Returns the fetch under way or a new one; undefined during the pause. */
  const fetchOnce = (): Flight | undefined => {
    if (flight !== undefined && isWithin(FETCH_SECONDS, flight.startedAt)) return flight
    if (isWithin(held === undefined ? EMPTY_PAUSE_SECONDS : options.pauseSeconds, triedAt)) return undefined
    triedAt = now()
    const mine: Flight = {
      startedAt: triedAt,
      done: load(triedAt).finally(() => {
        if (flight === mine) flight = undefined
      }),
    }
    flight = mine
    return mine
  }
  const renewed = async (): Promise<Held<T> | undefined> => {
    const done = fetchOnce()?.done
    if (done !== undefined) await within(FETCH_SECONDS + 1, done, 'no answer').catch(() => undefined)
    return held
  }
  return {
    renewed,
    current(waitUntil) {
      const ageSeconds = held === undefined ? Number.POSITIVE_INFINITY : Math.abs(now() - held.madeAt)
      const mayWait = !isWithin(FAILING_SECONDS, failedAt)
      if (held === undefined || (ageSeconds >= waitSeconds && mayWait)) return renewed()
      if (ageSeconds >= refreshSeconds) {
        const done = fetchOnce()?.done
        if (done !== undefined) waitUntil?.(done)
      }
      return held
    },
  }
}
