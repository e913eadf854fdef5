/** Writes lines to a reader that may be slow or stall, without delaying requests and with a bounded queue. */

const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024

/** Starts to write a text. Returns undefined if it is written already, otherwise a promise that settles when it is. */
export type Put = (text: string) => Promise<unknown> | undefined

export interface LineWriter {
  /** Writes a line at once if the reader keeps up, otherwise after the lines before it. Never throws. */
  write(line: string): void
  /** Resolves when no line is queued. */
  written(): Promise<void>
}

/**
 * Creates a writer that drops lines while 4 Mi characters are queued.
 *
 * @param lostLine returns the line that reports how many lines were dropped or failed; it is written once writing works again
 */
export function lineWriter(put: Put, lostLine: (lines: number) => string): LineWriter {
  let waiting: string[] = []
  let waitingCharacters = 0
  let lost = 0
  let underWay: Promise<void> | undefined

  const send = (lines: readonly string[]): void => {
    const reported = lost
    const onFailure = (): void => {
      lost += reported + lines.length
    }
    lost = 0
    try {
      const all = reported > 0 ? [...lines, lostLine(reported)] : lines
      underWay = put(`${all.join('\n')}\n`)
        ?.then(undefined, onFailure)
        .then(sendWaiting)
    } catch {
      onFailure()
    }
  }
  const sendWaiting = (): void => {
    underWay = undefined
    if (waiting.length === 0) return
    const lines = waiting
    waiting = []
    waitingCharacters = 0
    send(lines)
  }
  return {
    write(line) {
      if (underWay === undefined) {
        send([line])
      } else if (lost > 0 || waitingCharacters + line.length > MAX_WAITING_CHARACTERS) {
        lost++
      } else {
        waiting.push(line)
        waitingCharacters += line.length
      }
    },
    async written() {
      while (underWay !== undefined) await underWay
    },
  }
}
