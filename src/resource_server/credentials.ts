/** The token of a request. It is read from the Authorization header only. */

import type { GuardReason } from './refusals.ts'

/** What a guard reads of a request. A `Request` of the Fetch standard is one. */
export interface GuardedRequest {
  readonly method: string
  /** Absolute. */
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

export interface Credentials {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

const ONE_TOKEN = /^(bearer|dpop) +([\w.~+/-]+=*)$/i

/** Several headers of one name arrive as one, joined by commas. */
const OURS = /(?:^|,)\s*(?:bearer|dpop)\b/i

/**
 * Returns the scheme and token of a request, or why there is not exactly one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2 RFC 6750 §2}, {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 */
export function readCredentials({ url, headers }: GuardedRequest): Credentials | GuardReason {
  const query = url.indexOf('?')
  if (query >= 0 && new URLSearchParams(url.slice(query + 1)).has('access_token')) return 'credentials_in_query'
  const authorization = headers.get('Authorization')
  if (authorization === null) return 'credentials_missing'
  const [, scheme, token] = ONE_TOKEN.exec(authorization) ?? []
  if (token !== undefined) return { scheme: scheme?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token }
  return OURS.test(authorization) ? 'credentials_malformed' : 'credentials_missing'
}
