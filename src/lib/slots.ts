/** A limit for work that runs at the same time, with a bounded queue in front of it. */

const POLL_MILLISECONDS = 10

export interface SlotsOptions {
  /** Returns milliseconds. */
  readonly clock: () => number
  readonly maxRunning: number
  readonly maxWaiting: number
  readonly maxWaitMilliseconds: number
  /** Work that takes longer loses its slot. It must be at least the time limit of the work itself. */
  readonly maxHeldMilliseconds: number
}

/** Runs `work` in a slot, and returns its result. Returns undefined, and does not run it, if no slot becomes free in time. */
export type RunInSlot = <T extends object>(work: () => Promise<T>) => Promise<T | undefined>

/**
 * Creates the slots. Each waiting caller polls, and slots and places expire: on Workers a cancelled request stops running without notice.
 */
export function slots(options: SlotsOptions): RunInSlot {
  const { clock, maxRunning, maxWaiting, maxWaitMilliseconds, maxHeldMilliseconds } = options
  const [running, waiting] = [new Map<symbol, number>(), new Map<symbol, number>()]

  const take = (): symbol | undefined => {
    if (running.size >= maxRunning) dropOlder(running, clock() - maxHeldMilliseconds)
    if (running.size >= maxRunning) return undefined
    const slot = Symbol()
    running.set(slot, clock())
    return slot
  }

  const wait = async (): Promise<symbol | undefined> => {
    dropOlder(waiting, clock() - maxWaitMilliseconds - POLL_MILLISECONDS)
    if (waiting.size >= maxWaiting) return undefined
    const [place, deadline] = [Symbol(), clock() + maxWaitMilliseconds]
    waiting.set(place, clock())
    let slot: symbol | undefined
    while (slot === undefined && clock() <= deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
      slot = take()
    }
    waiting.delete(place)
    return slot
  }

  return async (work) => {
    const slot = take() ?? (await wait())
    if (slot === undefined) return undefined
    try {
      return await work()
    } finally {
      running.delete(slot)
    }
  }
}

function dropOlder(places: Map<symbol, number>, limit: number): void {
  for (const [place, since] of places) if (since < limit) places.delete(place)
}
