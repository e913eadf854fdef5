/** A limit on the requests of one caller, counted per process or isolate. */

import { tooManyRequests } from '../errors.ts'
import { lru } from '../lib/lru.ts'

/** High enough for a busy resource server; stops only callers that loop. */
export const DEFAULT_PER_MINUTE: number = 60_000

const WINDOW_SECONDS = 60
const MAX_CALLERS = 10_000

/**
 * Counts a request of `caller`.
 *
 * @param now epoch seconds
 * @throws OAuthError with status 429 when the caller has asked too often
 */
export type LimitRate = (caller: string, now: number) => void

/**
 * Returns a limit with windows of one minute.
 *
 * @param perMinute requests of one caller per window; 0 for no limit
 */
export function limitRate(perMinute: number = DEFAULT_PER_MINUTE): LimitRate {
  const windows = lru<{ readonly startedAt: number; count: number }>(MAX_CALLERS)
  return (caller, now) => {
    const held = windows.get(caller)
    const isOver = held === undefined || now >= held.startedAt + WINDOW_SECONDS || now < held.startedAt
    const current = isOver ? { startedAt: now, count: 0 } : held
    if (isOver) windows.set(caller, current)
    current.count++
    if (perMinute > 0 && current.count > perMinute) throw tooManyRequests(current.startedAt + WINDOW_SECONDS - now)
  }
}
