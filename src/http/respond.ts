/** Headers of every response, JSON responses that no cache keeps, and refusals. */

import type { Context } from 'hono'
import { assertionMembers } from '../attribution.ts'
import { OAuthError, serverError } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { causeText, placeOf } from '../lib/cause.ts'
import { emitFrom, withRequestId } from './caller.ts'

/** Headers of every response: no guessing of types, no referrer, no frame, no use by pages of other origins. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** Headers of every response that pages of any origin may use. */
export const publicHeaders: Readonly<Record<string, string>> = {
  ...securityHeaders,
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/**
 * Headers of a JSON response.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export const jsonHeaders: Readonly<Record<string, string>> = {
  ...securityHeaders,
  'Content-Type': 'application/json;charset=UTF-8',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
}

/** Returns the length of a body in octets: without `Content-Length`, Bun and Deno answer HEAD with 0, RFC 9110 §8.6. */
export function lengthOf(body: string): string {
  return String(new TextEncoder().encode(body).length)
}

/** Returns the response to a GET request, or to HEAD. `headers` include {@link securityHeaders}. */
export function respondWith(
  body: string,
  headers: Readonly<Record<string, string>> = jsonHeaders,
  status = 200,
): Response {
  return new Response(body, { status, headers: { ...headers, 'Content-Length': lengthOf(body) } })
}

/** `WWW-Authenticate` for a client that used the Authorization header, RFC 6749 §5.2. */
const CHALLENGE = 'Basic realm="edgemint", charset="UTF-8"'

/** Returns the response to a thrown value and emits `request_refused`. Anything but an OAuthError becomes `server_error`. */
export function refuse(c: Context, thrown: unknown, emit: Emit): Response {
  const error = thrown instanceof OAuthError ? thrown : serverError(thrown)
  emitFrom(c, emit, {
    event: 'request_refused',
    path: c.req.path,
    code: error.code,
    reason: error.reason,
    ...(error.audience !== undefined && { aud: error.audience }),
    ...(error.clientId !== undefined && { client_id: error.clientId }),
    ...(error.assertion !== undefined && assertionMembers(error.assertion)),
    ...(error.status >= 500 && error.cause !== undefined && { cause: auditCause(error) }),
  })
  const body = JSON.stringify({ error: error.code, error_description: error.message })
  const challenged = error.status === 401 && c.req.header('Authorization') !== undefined
  const headers = { ...jsonHeaders, ...(challenged && { 'WWW-Authenticate': CHALLENGE }), ...error.headers }
  return respondWith(body, withRequestId(c, headers), error.status)
}

/** The message of an unexpected exception may quote the request, so only its place in the source is reported. */
function auditCause({ reason, cause }: OAuthError): string {
  return reason === 'internal' ? placeOf(cause) : causeText(cause)
}
