/** The duration of each measurement. */

export interface Pace {
  /** Number of rounds; the median counts. */
  readonly rounds: number
  /** Load before the first round, until the runtimes have compiled the hot code. */
  readonly warmSeconds: number
  readonly loadSeconds: number
  readonly floorSeconds: number
  readonly signingSeconds: number
  /** Number of process starts; the median counts. */
  readonly starts: number
}

/** All runtimes and algorithms within 5 minutes. */
export const QUICK: Pace = {
  rounds: 1,
  warmSeconds: 2,
  loadSeconds: 3,
  floorSeconds: 1,
  signingSeconds: 0.5,
  starts: 2,
}

/** The pace of the figures in docs/performance.md. */
export const FULL: Pace = {
  rounds: 3,
  warmSeconds: 10,
  loadSeconds: 3,
  floorSeconds: 2,
  signingSeconds: 1,
  starts: 5,
}

/** Approximate time to start two servers and create their records. */
export const START_SECONDS = 5
