/** Writes events as audit lines: one JSON object per line, with the member names used on the wire and never a secret or token. */

import { escapeUnseen } from '../lib/plain_text.ts'
import type { Emit, ServerEvent } from './events.ts'

/** Maximum length of a string in an event. Callers choose the length of some. */
const MAX_CHARACTERS = 1024

const CUT_MARK = '…'

/** Which events have a line: all, all but issued tokens, or none. */
export const AUDIT_LOGS = ['all', 'refusals', 'off'] as const

export type AuditLog = (typeof AUDIT_LOGS)[number]

export const DEFAULT_AUDIT_LOG: AuditLog = 'all'

/**
 * Returns a function that writes each event as one line.
 *
 * @param write called with each line, without a line break
 * @param now returns epoch seconds
 * @param lines which events have a line; all by default
 */
export function auditLines(
  write: (line: string) => void,
  now: () => number,
  lines: AuditLog = DEFAULT_AUDIT_LOG,
): Emit {
  if (lines === 'off') return () => undefined
  return (event) => {
    if (lines === 'all' || event.event !== 'token_issued') write(auditLine(event, now()))
  }
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
