/** The Host header field. Some runtimes accept malformed or repeated fields, and even read the path from them. */

import { jsonHeaders, respondWith } from '../http/respond.ts'

/** `uri-host [ ":" port ]`; http does not allow an empty host (RFC 9110 §4.2.1). */
const HOST = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+)(?::\d*)?$/i

/** Returns whether a text is the value of a single Host field. Two fields that a runtime joined with a comma are not. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/**
 * Returns the response to a request whose Host is malformed or repeated. There is no audit event, because the request does not
 * reach an endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112 §3.2}
 */
export function refuseHost(): Response {
  const body = { error: 'invalid_request', error_description: 'The request must have exactly one valid Host header.' }
  return respondWith(JSON.stringify(body), jsonHeaders, 400)
}
