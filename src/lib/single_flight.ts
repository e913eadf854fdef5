/** Work that many want at once, done once. */

import { within } from './within.ts'

/** Gives what `work` gives, or what the work under way for the same key will give. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>

/**
 * @param seconds how long somebody else's work is waited for: on Workers it never ends when its request was cancelled. Who
 * waited in vain is rejected, and the next begins anew.
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
