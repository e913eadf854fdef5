/** JSON responses that no cache keeps. */

import type { Context } from 'hono'
import { OAuthError, serverError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { causeText, placeOf } from '../lib/cause.ts'

/**
 * Headers of a JSON response.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export const jsonHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json;charset=UTF-8',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
}

/** `WWW-Authenticate` for a client that used the Authorization header, RFC 6749 §5.2. */
const CHALLENGE = 'Basic realm="edgemint", charset="UTF-8"'

/** Returns the response to a thrown value and emits `request_refused`. Anything but an OAuthError becomes `server_error`. */
export function refuse(c: Context, thrown: unknown, emit: Emit): Response {
  const error = thrown instanceof OAuthError ? thrown : serverError(thrown)
  emit({
    event: 'request_refused',
    path: c.req.path,
    code: error.code,
    reason: error.reason,
    ...(error.clientId !== undefined && { client_id: error.clientId }),
    ...(error.status >= 500 && error.cause !== undefined && { cause: auditCause(error) }),
  })
  const body = JSON.stringify({ error: error.code, error_description: error.message })
  const challenged = error.status === 401 && c.req.header('Authorization') !== undefined
  const headers = { ...jsonHeaders, ...(challenged && { 'WWW-Authenticate': CHALLENGE }), ...error.headers }
  return new Response(body, { status: error.status, headers })
}

/** The message of an unexpected exception may quote the request, so only its place in the source is reported. */
function auditCause({ reason, cause }: OAuthError): string {
  return reason === 'internal' ? placeOf(cause) : causeText(cause)
}
