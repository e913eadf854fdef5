/** The first phase of every endpoint that takes a form: media type, size, encoding, repeats. */

import type { Context as HonoContext } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { invalidRequest, OAuthError } from '../errors.ts'
import { readForm } from '../lib/form.ts'
import type { Form, FormRequest } from '../types.ts'
import { readMediaType } from './media_type.ts'

const MAX_BODY_BYTES = 64 * 1024

/** RFC 8707 §2 lets `resource` repeat; `audience` stands in the same place. Any other repeat breaks RFC 6749 §3.2. */
const REPEATABLE: ReadonlySet<string> = new Set(['resource', 'audience'])

/**
 * Reads the form of a request. The query string does not count.
 *
 * @throws OAuthError `invalid_request`: another media type or charset, compressed, over 64 KiB, malformed, empty, a parameter twice
 * @see RFC 6749 §3.2
 */
export async function readFormRequest(
  c: HonoContext<{ Bindings: Connection }>,
  findCertificate: FindCertificate,
): Promise<FormRequest> {
  if (readMediaType(c) !== 'application/x-www-form-urlencoded') {
    throw invalidRequest('content_type_not_form', 'The Content-Type must be application/x-www-form-urlencoded.')
  }
  const parameters = await readBody(c)
  if (parameters.length === 0) throw invalidRequest('body_empty', 'The body holds no parameter.')
  const form = toForm(parameters)
  return { headers: c.req.raw.headers, form, certificate: await findCertificate(c.req.raw, c.env) }
}

async function readBody(c: HonoContext): Promise<[string, string][]> {
  const length = c.req.header('Content-Length')
  if (length !== undefined && !(Number(length) <= MAX_BODY_BYTES)) throw tooLarge()
  try {
    // Only where the length is not told: the middleware makes a stream of the body, which costs Node more than a signature.
    if (length === undefined || c.req.header('Transfer-Encoding') !== undefined)
      await limitBody(c, async () => undefined)
    return readForm(await c.req.arrayBuffer())
  } catch (error) {
    throw error instanceof OAuthError ? error : malformed()
  }
}

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw tooLarge()
  },
})

function tooLarge(): OAuthError {
  return invalidRequest('body_too_large', 'The body is larger than 64 KiB.', { status: 413 })
}

function malformed(): OAuthError {
  return invalidRequest('body_malformed', 'The body is cut off or not validly form-encoded UTF-8.')
}

function toForm(parameters: readonly [name: string, value: string][]): Form {
  const values = new Map<string, string[]>()
  for (const [name, value] of parameters) {
    const others = values.get(name)
    if (others === undefined) values.set(name, [value])
    else if (REPEATABLE.has(name)) others.push(value)
    else throw invalidRequest('parameter_repeated', 'A parameter is given more than once.')
  }
  return { get: (name) => values.get(name)?.[0] ?? null, getAll: (name) => values.get(name) ?? [] }
}
