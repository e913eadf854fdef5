/** What a rotated key set needs at an instant: which keys are made, and which are no longer needed. Pure, so that any process may ask. */

import { keyState, type Placed } from './key_set.ts'

/** A new key is announced for this long at least, or for half the period if that is shorter. */
export const ANNOUNCE_SECONDS: number = 86_400

export interface PlanOptions {
  /** Time for which a key signs; undefined to make no more keys. */
  readonly periodSeconds: number | undefined
  /** Time for which a key stays published after its successor began to sign. */
  readonly keepSeconds: number
  /** Algorithms that have keys. */
  readonly algorithms: readonly string[]
  /** Whether other keys sign until the first key of the set does, so that it is announced as well. */
  readonly isSecond?: boolean
}

/** What a set becomes. */
export interface Plan<K extends Placed> {
  readonly kept: readonly K[]
  /** The keys to be made, without their key material. */
  readonly made: readonly Placed[]
}

/** Returns how long a new key is announced before it signs. */
export function announceSeconds(periodSeconds: number): number {
  return Math.min(Math.ceil(periodSeconds / 2), ANNOUNCE_SECONDS)
}

/**
 * Returns what becomes of a set, or undefined when nothing is due. The first key of a deployment signs at once. Whenever the newest key of
 * an algorithm has begun to sign, its successor is due; it starts a period later. The newest key of an algorithm is never dropped.
 *
 * @param now epoch seconds
 */
export function plan<K extends Placed>(keys: readonly K[], now: number, options: PlanOptions): Plan<K> | undefined {
  const { periodSeconds, keepSeconds, algorithms, isSecond = false } = options
  const kept = keys.filter((key) => keyState(key, keys, now, keepSeconds) !== 'expired')
  const isFirst = keys.length === 0 && !isSecond
  const made = periodSeconds === undefined ? [] : algorithms.flatMap((alg) => startsOf(alg, periodSeconds))
  return made.length === 0 && kept.length === keys.length ? undefined : { kept, made }

  function startsOf(alg: string, period: number): readonly Placed[] {
    const newest = newestOf(keys, alg)
    const announced = now + announceSeconds(period)
    if (newest === undefined && isFirst) return [now, now + period].map((signsFrom) => ({ alg, signsFrom }))
    if (newest === undefined) return [{ alg, signsFrom: announced }]
    return newest.signsFrom > now ? [] : [{ alg, signsFrom: Math.max(newest.signsFrom + period, announced) }]
  }
}

/** Returns the algorithms whose key has signed for longer than a period. */
export function overdueAlgorithms(
  keys: readonly Placed[],
  now: number,
  { periodSeconds, algorithms }: Pick<PlanOptions, 'periodSeconds' | 'algorithms'>,
): readonly string[] {
  if (periodSeconds === undefined) return []
  const started = keys.filter(({ signsFrom }) => signsFrom <= now)
  return algorithms.filter((alg) => (newestOf(started, alg)?.signsFrom ?? now) + periodSeconds <= now)
}

function newestOf<K extends Placed>(keys: readonly K[], alg: string): K | undefined {
  return keys
    .filter((key) => key.alg === alg)
    .reduce<K | undefined>(
      (newest, key) => (newest === undefined || key.signsFrom > newest.signsFrom ? key : newest),
      undefined,
    )
}
