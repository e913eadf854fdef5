/** Writes events as audit lines: one JSON object per line, with the member names used on the wire and never a secret or token. */

import { escapeUnseen } from '../lib/plain_text.ts'
import type { Emit, ServerEvent } from './events.ts'

/** Maximum length of a string in an event. Callers choose the length of some. */
const MAX_CHARACTERS = 1024

const CUT_MARK = '…'

/**
 * Returns a function that writes each event as one line.
 *
 * @param write called with each line, without a line break
 * @param now returns epoch seconds
 */
export function auditLines(write: (line: string) => void, now: () => number): Emit {
  return (event) => write(auditLine(event, now()))
}

/** Returns an event as one line of JSON. Invisible characters are escaped, and long strings are truncated. */
export function auditLine(event: ServerEvent, now: number): string {
  const timed = { time: new Date(now * 1000).toISOString(), ...event }
  const line = JSON.stringify(timed)
  return escapeUnseen(line.length <= MAX_CHARACTERS ? line : JSON.stringify(timed, cutLong))
}

function cutLong(_name: string, value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > MAX_CHARACTERS
  return isLong ? value.slice(0, MAX_CHARACTERS) + CUT_MARK : value
}
