/** Requests that do not name exactly one host, which HTTP wants refused and not every runtime refuses. */

import { jsonHeaders } from '../endpoints/respond.ts'

/** `uri-host [ ":" port ]`; http does not allow an empty host (RFC 9110 §4.2.1). */
const HOST = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+)(?::\d*)?$/i

/** Checks the value of a Host field. Two fields that the runtime joined do not pass either. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/**
 * Returns the answer to a request whose Host is malformed or stands twice. It is not audited: there is no request yet that
 * an endpoint could take.
 *
 * @see RFC 9112 §3.2
 */
export function refuseHost(): Response {
  const body = { error: 'invalid_request', error_description: 'The request must have exactly one valid Host.' }
  return new Response(JSON.stringify(body), { status: 400, headers: jsonHeaders })
}
