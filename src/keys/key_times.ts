/** How long keys are published, read and cached, from the period of the rotation and the life of tokens. */

import { RETIRED_SKEW_SECONDS } from './keyring.ts'
import { ANNOUNCE_SECONDS } from './rotation_plan.ts'

/** How long verifiers may cache the keys. */
const MAX_AGE_SECONDS = 300

/** How often the stored keys are read. */
const READ_SECONDS = 60

/** How often one process or isolate asks for a rotation that is due. */
const NUDGE_SECONDS = 3600

/** With a short period, which is for tests, all of them are parts of it. */
export interface KeyTimes {
  /** Time for which a key is published after its successor began to sign. */
  readonly keepSeconds: number
  /** The longest life of a token, and the skew of clocks. */
  readonly lifeSeconds: number
  readonly readSeconds: number
  readonly nudgeSeconds: number
  readonly maxAgeSeconds: number
}

/** @param periodSeconds undefined when no keys are made */
export function keyTimes(lifetimeSeconds: number, periodSeconds: number = Number.POSITIVE_INFINITY): KeyTimes {
  const spareSeconds = Math.min(periodSeconds, ANNOUNCE_SECONDS)
  const lifeSeconds = lifetimeSeconds + RETIRED_SKEW_SECONDS
  const part = (divisor: number, most: number): number =>
    Math.max(1, Math.min(most, Math.floor(periodSeconds / divisor)))
  return {
    lifeSeconds,
    keepSeconds: lifeSeconds + spareSeconds,
    readSeconds: part(4, READ_SECONDS),
    nudgeSeconds: part(4, NUDGE_SECONDS),
    maxAgeSeconds: part(2, MAX_AGE_SECONDS),
  }
}
