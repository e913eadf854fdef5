/** Client credentials in the `Authorization` header: RFC 7617 with the additional form encoding of RFC 6749. */

import { invalidClient, invalidRequest } from '../errors.ts'
import { formDecode } from '../lib/form.ts'

/**
 * Returns the client_id and secret in an `Authorization: Basic` header.
 *
 * @throws OAuthError `invalid_request` for a malformed header, `invalid_client` for another scheme
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1}
 */
export function readBasic(authorization: string): { client_id: string; secret: string } {
  const [, scheme = '', token = ''] = /^([^ ]*) *(.*)$/s.exec(authorization) ?? []
  if (scheme.toLowerCase() !== 'basic') throw invalidClient('authorization_scheme_unknown')
  try {
    const pair = decodeBase64(token)
    const colon = pair.indexOf(':')
    if (colon < 0) throw new TypeError('no colon')
    return { client_id: formDecode(pair.slice(0, colon)), secret: formDecode(pair.slice(colon + 1)) }
  } catch {
    // The cause is dropped, because it could quote the credentials.
    throw invalidRequest('authorization_malformed', 'The Authorization header is not valid Basic credentials.')
  }
}

function decodeBase64(token: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token)) throw new TypeError('not base64')
  const octets = Uint8Array.from(atob(token), (character) => character.charCodeAt(0))
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
}
