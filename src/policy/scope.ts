/** The scopes that a token gets. */

import * as v from 'valibot'
import { invalidScope, type OAuthError } from '../errors.ts'
import type { Permit } from '../permit.ts'
import type { ScopeReason } from '../reasons.ts'
import type { ResourceServer } from '../types.ts'
import { scopeMatcher } from './scope_patterns.ts'

/** One scope-token, RFC 6749 appendix A.4. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Schema of registered scopes or scope patterns: scope-tokens separated by spaces. */
export const Scope: v.GenericSchema<string> = v.pipe(
  v.string('must be a string'),
  v.maxLength(8192, 'must have at most 8192 characters'),
  v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/, 'must be scope tokens separated by spaces'),
)

const MAX_ECHO_CHARACTERS = 100

/** Maximum number of scopes in a request. */
const MAX_SCOPES = 1000

/** Splits a scope at spaces, its only separator. Drops empty parts and repeats, and keeps the order. */
export function splitScope(scope: string): string[] {
  if (scope === '') return []
  return [...new Set(scope.split(' ').filter((token) => token !== ''))]
}

/**
 * Returns all requested scopes, or the permit's default when none is requested. The permit and each resource server set a
 * ceiling. A requested scope above a ceiling is refused. A default scope that a resource server does not have is left out.
 *
 * @param requested the `scope` parameter, null when absent
 * @throws OAuthError `invalid_scope` when a scope is malformed or not allowed, or when more than 1,000 are requested
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3}
 */
export function grantScopes(
  requested: string | null,
  permit: Permit,
  resources: readonly ResourceServer[],
): readonly string[] {
  const asked = splitScope(requested ?? '')
  if (asked.length === 0 && permit.defaultScope.length === 0) return []
  const isAllowed = scopeMatcher(permit.scope)
  const ceilings = resources.flatMap(({ scope }) => (scope === undefined ? [] : [scopeMatcher(splitScope(scope))]))
  const isServed = (token: string): boolean => ceilings.every((matches) => matches(token))
  const isHeld = permit.scopeLimit === undefined ? () => true : scopeMatcher(permit.scopeLimit)
  if (asked.length > MAX_SCOPES) {
    throw invalidScope('scopes_too_many', `A request must not ask for more than ${MAX_SCOPES} scopes.`)
  }
  const tokens = asked.length > 0 ? asked : permit.defaultScope.filter(isServed)
  for (const token of tokens) {
    if (!SCOPE_TOKEN.test(token)) {
      throw invalidScope('scope_malformed', 'The scope contains a character that is not allowed.')
    }
    if (!isAllowed(token)) throw refused('scope_not_allowed', 'The client may not ask for the scope', token)
    if (!isHeld(token)) throw refused('scope_not_held', 'The presented token does not have the scope', token)
    if (!isServed(token)) throw refused('scope_not_served', 'A requested resource does not have the scope', token)
  }
  return tokens
}

function refused(reason: ScopeReason, text: string, token: string): OAuthError {
  return invalidScope(reason, `${text} '${token.slice(0, MAX_ECHO_CHARACTERS)}'.`)
}
