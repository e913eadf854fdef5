/** Which resource servers a token is for. */

import { invalidTarget } from '../errors.ts'
import type { Permit } from '../types.ts'

/**
 * Gives the identifiers asked for in `resource` and, for clients of other vendors, `audience`; none when none is
 * asked. Identifiers are compared to the letter, so nothing is normalised and nothing can be smuggled by a path.
 *
 * @throws OAuthError `invalid_target` when one is no absolute URI without fragment, or not allowed
 * @see RFC 8707 §2
 */
export function grantResources(form: URLSearchParams, permit: Permit): readonly string[] {
  const resources = form.getAll('resource')
  if (!resources.every(isResourceUri)) {
    throw invalidTarget('resource_malformed', 'A resource must be an absolute URI without a fragment.')
  }
  const asked = [...new Set([...resources, ...form.getAll('audience')])]
  if (!asked.every((resource) => permit.resources.includes(resource))) {
    throw invalidTarget('resource_not_allowed', 'The client may not have tokens for this resource.')
  }
  return asked
}

function isResourceUri(text: string): boolean {
  return URL.canParse(text) && !text.includes('#')
}
