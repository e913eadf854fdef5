/** A queue for work that runs one at a time, in order of arrival. Each key has one place, so that no key delays the others. */

const POLL_MILLISECONDS = 10

/** Permission to work until `end` is called. */
export interface Turn {
  /** Reports that the work continues. A turn that is not renewed within `maxSilentMilliseconds` ends. */
  readonly renew: () => void
  readonly end: () => void
}

export interface TurnsOptions {
  /** Returns milliseconds. */
  readonly clock: () => number
  readonly maxWaiting: number
  readonly maxWaitMilliseconds: number
  readonly maxSilentMilliseconds: number
}

/**
 * Waits for a turn. Returns undefined if too many keys wait, or the wait takes too long, or another caller has the place of the
 * key: the first caller of the highest rank keeps it.
 */
export type TakeTurn = (key: string, rank: number) => Promise<Turn | undefined>

interface Place {
  readonly rank: number
  seenAt: number
}

/**
 * Creates a queue. Each waiting caller polls for its turn: on Workers a cancelled request stops running without notice, so its
 * place expires once it has not been seen for too long.
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
