/** How long each measurement takes. */

export interface Pace {
  /** Of which the median counts. */
  readonly rounds: number
  /** Load before the first round, until the compilers of the runtimes are done, on the core that they share with what they compile. */
  readonly warmSeconds: number
  readonly loadSeconds: number
  readonly floorSeconds: number
  readonly signingSeconds: number
  /** Starts of a process of which the median counts. */
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

/** Of the figures in the README. */
export const FULL: Pace = {
  rounds: 3,
  warmSeconds: 10,
  loadSeconds: 3,
  floorSeconds: 2,
  signingSeconds: 1,
  starts: 5,
}

/** What starting two servers and making their records takes, about. */
export const START_SECONDS = 5
