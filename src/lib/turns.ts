/** Turns for work that runs one at a time, in the order of arrival. Each key has one waiting place, so that none holds up the others. */

const POLL_MILLISECONDS = 10

/** Leave to work until `end`. */
export interface Turn {
  /** Reports that the work goes on. A turn that reports nothing for `maxSilentMilliseconds` has ended. */
  readonly renew: () => void
  readonly end: () => void
}

export interface TurnsOptions {
  /** Milliseconds. */
  readonly clock: () => number
  readonly maxWaiting: number
  readonly maxWaitMilliseconds: number
  readonly maxSilentMilliseconds: number
}

/**
 * Waits for a turn. Returns undefined when too many keys wait, when the wait is over, and for all but one of the same key: the
 * first of the highest rank keeps the place.
 */
export type TakeTurn = (key: string, rank: number) => Promise<Turn | undefined>

interface Place {
  readonly rank: number
  seenAt: number
}

/**
 * Returns a queue of its own. Each waiting caller looks for its turn by itself: on Workers nothing wakes a request that was
 * cancelled, and nothing says that it was, so its place lapses once it is silent for too long.
 */
export function turns({ clock, maxWaiting, maxWaitMilliseconds, maxSilentMilliseconds }: TurnsOptions): TakeTurn {
  const waiting = new Map<string, Place>()
  let running: Place | undefined
  const isSilent = ({ seenAt }: Place): boolean => clock() - seenAt > maxSilentMilliseconds

  const findPlace = (key: string, rank: number): Place | undefined => {
    for (const [other, place] of waiting) if (isSilent(place)) waiting.delete(other)
    const held = waiting.get(key)
    if (held === undefined ? waiting.size >= maxWaiting : held.rank >= rank) return undefined
    const place = { rank, seenAt: clock() }
    waiting.set(key, place)
    return place
  }

  const isNext = (place: Place): boolean =>
    (running === undefined || isSilent(running)) &&
    place === [...waiting.values()].find((other) => other === place || !isSilent(other))

  const begin = (turn: Place): Turn => {
    running = turn
    return {
      renew: () => {
        turn.seenAt = clock()
      },
      end: () => {
        if (running === turn) running = undefined
      },
    }
  }

  return async (key, rank) => {
    const place = findPlace(key, rank)
    if (place === undefined) return undefined
    const deadline = clock() + maxWaitMilliseconds
    while (waiting.get(key) === place && !isNext(place) && clock() <= deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
      place.seenAt = clock()
    }
    if (waiting.get(key) !== place) return undefined
    const isItsTurn = isNext(place)
    waiting.delete(key)
    return isItsTurn ? begin(place) : undefined
  }
}
