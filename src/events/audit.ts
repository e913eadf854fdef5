/** Events as audit lines: one JSON object a line, the same member names as on the wire, never a secret or a token. */

import { escapeUnseen } from '../lib/plain_text.ts'
import type { Emit, Event } from './events.ts'

/** Of a text in an event; a caller chooses the length of some. */
const MAX_CHARACTERS = 1024

const CUT_MARK = '…'

/**
 * Writes each event as one line.
 *
 * @param write takes a line without its end
 * @param now epoch seconds
 */
export function auditLines(write: (line: string) => void, now: () => number): Emit {
  return (event) => write(auditLine(event, now()))
}

/** Returns an event as one line of JSON, for every reader: what cannot be seen in it is escaped, and long texts are cut. */
export function auditLine(event: Event, now: number): string {
  const timed = { time: new Date(now * 1000).toISOString(), ...event }
  const line = JSON.stringify(timed)
  return escapeUnseen(line.length <= MAX_CHARACTERS ? line : JSON.stringify(timed, cutLong))
}

function cutLong(_name: string, value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > MAX_CHARACTERS
  return isLong ? value.slice(0, MAX_CHARACTERS) + CUT_MARK : value
}
