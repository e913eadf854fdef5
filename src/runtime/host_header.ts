/** The Host header field: some runtimes accept malformed or repeated ones, and even take the path from them. */

import { jsonHeaders } from '../http/respond.ts'

/** `uri-host [ ":" port ]`; http does not allow an empty host (RFC 9110 §4.2.1). */
const HOST = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+)(?::\d*)?$/i

/** Returns whether a text is the value of one Host field; two that a runtime joined with a comma are none. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/**
 * Returns the answer to a request whose Host is malformed or repeated. There is no audit event: no endpoint is known to be meant.
 *
 * @see RFC 9112 §3.2
 */
export function refuseHost(): Response {
  const body = { error: 'invalid_request', error_description: 'The request must have exactly one valid Host.' }
  return new Response(JSON.stringify(body), { status: 400, headers: jsonHeaders })
}
