/** The wire form of answers: JSON that no cache keeps. */

import type { Context } from 'hono'
import { OAuthError, serverError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { causeText, placeOf } from '../lib/cause.ts'

/** @see RFC 6749 §5.1 */
export const jsonHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json;charset=UTF-8',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
}

/** A client that tried the header is told the scheme, RFC 6749 §5.2. */
const CHALLENGE = 'Basic realm="edgemint", charset="UTF-8"'

/** Answers what was thrown and tells the audit: an OAuthError as it is, anything else as `server_error`. */
export function refuse(c: Context, thrown: unknown, emit: Emit): Response {
  const error = thrown instanceof OAuthError ? thrown : serverError(thrown)
  emit({
    event: 'request_refused',
    path: c.req.path,
    code: error.code,
    reason: error.reason,
    ...(error.clientId !== undefined && { client_id: error.clientId }),
    ...(error.status >= 500 && error.cause !== undefined && { cause: tell(error) }),
  })
  const body = JSON.stringify({ error: error.code, error_description: error.message })
  const challenged = error.status === 401 && c.req.header('Authorization') !== undefined
  const headers = { ...jsonHeaders, ...(challenged && { 'WWW-Authenticate': CHALLENGE }), ...error.headers }
  return new Response(body, { status: error.status, headers })
}

/** The message of an exception nobody foresaw may quote the request, so of that only the place is told. */
function tell({ reason, cause }: OAuthError): string {
  return reason === 'internal' ? placeOf(cause) : causeText(cause)
}
