/** Tokens and assertions that are bound to a key: the client that presents one must prove that key. */

import { isObject } from '../lib/json.ts'

/**
 * Returns whether a request proves everything that a token or an assertion is bound to. A `cnf` without a member says that there is
 * a key and not which, so nothing proves it.
 *
 * @param cnf its claim; undefined for what is not bound
 * @param proved what the request proves
 * @see {@link https://www.rfc-editor.org/rfc/rfc7800#section-3.1 RFC 7800 §3.1}
 */
export function isProved(cnf: unknown, proved: Readonly<Record<string, string>>): boolean {
  if (cnf === undefined) return true
  const members = isObject(cnf) ? Object.entries(cnf) : []
  return members.length > 0 && members.every(([method, value]) => proved[method] === value)
}
