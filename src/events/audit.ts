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
 * @param now returns epoch seconds, with milliseconds as a fraction where the clock has them
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

/** Texts of three parts or more with dots between them, as a compact JWS has them, RFC 7515 §7.1. */
const DOTTED = /(?<![\w-])[\w-]+(?:(?:\.|%2e)[\w-]*){2,}/gi

/** How the header of a JWS begins: `{"` in base64url. */
const JWS_START = 'eyJ'

/** How much of a JWS is written, so that a reader sees what it was. */
const SHOWN_CHARACTERS = 10

/**
 * Returns an event as one line of JSON. Invisible characters are escaped, long strings are truncated, and of what looks like a
 * token only the beginning is written: callers put tokens where names belong.
 */
export function auditLine(event: ServerEvent, now: number): string {
  const timed = { time: new Date(Math.round(now * 1000)).toISOString(), ...event }
  const line = JSON.stringify(timed)
  const isPlain = line.length <= MAX_CHARACTERS && !line.includes(JWS_START)
  return escapeUnseen(isPlain ? line : JSON.stringify(timed, shorten))
}

function shorten(_name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  const text = value.includes(JWS_START) ? value.replace(DOTTED, withoutToken) : value
  return text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) + CUT_MARK : text
}

function withoutToken(dotted: string): string {
  const start = dotted.indexOf(JWS_START)
  const isToken = start >= 0 && dotted.slice(start).split(/\.|%2e/i).length >= 3
  return isToken ? dotted.slice(0, start + SHOWN_CHARACTERS) + CUT_MARK : dotted
}
