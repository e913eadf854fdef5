/** Events as audit lines: one JSON object a line, the same member names as on the wire, never a secret or a token. */

import type { Emit } from './events.ts'

const MAX_CLIENT_ID_CHARACTERS = 256

/**
 * Writes each event as one line.
 *
 * @param write takes a line without its end
 * @param now epoch seconds
 */
export function auditLines(write: (line: string) => void, now: () => number): Emit {
  return (event) => {
    const client_id = event.client_id?.slice(0, MAX_CLIENT_ID_CHARACTERS)
    write(JSON.stringify({ time: new Date(now() * 1000).toISOString(), ...event, client_id }))
  }
}
