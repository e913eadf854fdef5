/** Shares one run of the same work among concurrent callers. */

import { within } from './within.ts'

/** Returns the result of `work`, or of the work already under way for the same key. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>

/**
 * @param seconds how long a caller waits for work that another caller started. Then it is rejected with a TimeoutError, and the next call
 * starts fresh: on Workers the work of a cancelled request never settles.
 */
export function singleFlight<T>(seconds: number): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>()
  return async (key, work) => {
    const shared = underWay.get(key)
    const result = shared ?? work()
    underWay.set(key, result)
    try {
      return await (shared === undefined ? result : within(seconds, result, `no answer within ${seconds} s`))
    } finally {
      if (underWay.get(key) === result) underWay.delete(key)
    }
  }
}
