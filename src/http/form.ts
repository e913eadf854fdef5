/** Requests whose body is a form: media type, size, encoding, repeated parameters. */

import type { Context as HonoContext } from 'hono'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { invalidRequest, type OAuthError } from '../errors.ts'
import { readForm } from '../lib/form.ts'
import { readBytes } from '../lib/read_bytes.ts'
import type { Form, FormRequest } from '../types.ts'
import { callerOf } from './caller.ts'
import { FORM, readMediaType } from './media_type.ts'

const MAX_BODY_BYTES = 64 * 1024

/** RFC 8707 §2 allows `resource` to repeat, and `audience` is its alternative. RFC 6749 §3.2 forbids any other repeat. */
const REPEATABLE: ReadonlySet<string> = new Set(['resource', 'audience'])

/**
 * Returns the form of a request with its headers and certificate. The query string is ignored.
 *
 * @throws OAuthError `invalid_request` for another media type or charset, a content coding, a body over 64 KiB, a malformed or
 * empty body, or a repeated parameter
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 RFC 6749 §3.2}
 */
export async function readFormRequest(
  c: HonoContext<{ Bindings: Connection }>,
  findCertificate: FindCertificate,
): Promise<FormRequest> {
  if (readMediaType(c) !== FORM) {
    throw invalidRequest('content_type_not_form', 'The Content-Type must be application/x-www-form-urlencoded.')
  }
  const parameters = await readBody(c)
  if (parameters.length === 0) throw invalidRequest('body_empty', 'The body holds no parameter.')
  const form = toForm(parameters)
  return { headers: c.req.raw.headers, form, certificate: await findCertificate(c.req.raw, c.env, callerOf(c)) }
}

async function readBody(c: HonoContext): Promise<[string, string][]> {
  const length = c.req.header('Content-Length')
  const octets = Number(length ?? 0)
  if (octets > MAX_BODY_BYTES || Number.isNaN(octets)) throw tooLarge()
  try {
    // A declared length is that of the body; reading a stream costs more than a signature on Node.
    const isDeclared = length !== undefined && c.req.header('Transfer-Encoding') === undefined
    return readForm(isDeclared ? await c.req.arrayBuffer() : await readBytes(c.req.raw, MAX_BODY_BYTES))
  } catch (error) {
    throw error instanceof RangeError ? tooLarge() : malformed()
  }
}

function tooLarge(): OAuthError {
  return invalidRequest('body_too_large', 'The body is larger than 64 KiB.', { status: 413 })
}

function malformed(): OAuthError {
  return invalidRequest('body_malformed', 'The body is cut off or not validly form-encoded UTF-8.')
}

function toForm(parameters: readonly [name: string, value: string][]): Form {
  const first = new Map<string, string>()
  const repeats: [name: string, value: string][] = []
  for (const [name, value] of parameters) {
    if (!first.has(name)) first.set(name, value)
    else if (REPEATABLE.has(name)) repeats.push([name, value])
    else throw invalidRequest('parameter_repeated', 'A parameter is given more than once.')
  }
  const getAll: Form['getAll'] = (name) => {
    const value = first.get(name)
    if (value === undefined) return []
    return [value, ...repeats.flatMap(([repeated, another]) => (repeated === name ? another : []))]
  }
  return { get: (name) => first.get(name) ?? null, getAll }
}
