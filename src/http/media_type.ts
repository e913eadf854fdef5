/** The media type, charset and content coding of a request's body. */

import type { Context } from 'hono'
import { invalidRequest } from '../errors.ts'

/**
 * Forms and JSON are UTF-8. The other two are accepted because some HTTP clients declare them by default (Apache HttpClient:
 * ISO-8859-1) for a body that is ASCII, which has the same octets in UTF-8. Other octets still have to be UTF-8.
 */
const READABLE_CHARSET = /^"?(?:utf-?8|us-ascii|iso-8859-1)"?$/i

/** The media type of forms. */
export const FORM = 'application/x-www-form-urlencoded'

/**
 * Returns the media type of a request in lower case, without parameters; the empty string when there is none.
 *
 * @throws OAuthError `invalid_request` with status 415 for a content coding, or a charset that is not accepted
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16 RFC 9110 §15.5.16}
 */
export function readMediaType({ req }: Context): string {
  const coding = req.header('Content-Encoding') ?? ''
  if (coding !== '' && coding.toLowerCase() !== 'identity') {
    const headers = { 'Accept-Encoding': 'identity' }
    throw invalidRequest('content_encoding_unsupported', 'The body must not be encoded.', { status: 415, headers })
  }
  const contentType = req.header('Content-Type') ?? ''
  if (contentType === FORM) return FORM
  const [type = '', ...parameters] = contentType.split(';')
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=', 2)
    if (name.trim().toLowerCase() === 'charset' && !READABLE_CHARSET.test(value.trim())) {
      throw invalidRequest('charset_unsupported', 'The charset of the body must be UTF-8.', { status: 415 })
    }
  }
  return type.trim().toLowerCase()
}
