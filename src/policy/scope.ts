/** Which scopes a token gets. */

import * as v from 'valibot'
import { invalidScope, type OAuthError } from '../errors.ts'
import type { Permit } from '../features.ts'
import type { ScopeReason } from '../reasons.ts'
import type { ResourceServer } from '../types.ts'
import { scopeMatcher } from './scope_patterns.ts'

/** RFC 6749 appendix A.4: one scope-token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Scopes or patterns of scopes as they are registered: scope-tokens and spaces. */
export const Scope: v.GenericSchema<string> = v.pipe(
  v.string('must be a text'),
  v.maxLength(8192, 'is too long'),
  v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/, 'must be scope tokens with blanks between'),
)

const MAX_ECHO_CHARACTERS = 100

/** How many scopes a request may ask for. */
const MAX_SCOPES = 1000

/** Splits on the blank, the only separator there is; empty parts and repeats fall away, order stays. */
export function splitScope(scope: string): string[] {
  return [...new Set(scope.split(' ').filter((token) => token !== ''))]
}

/**
 * Grants all that was asked, or the permit's default when nothing was; both only below the ceilings of the permit and of
 * each resource server. Of a default, what a resource server does not have is left out.
 *
 * @param requested the `scope` parameter, null when absent
 * @throws OAuthError `invalid_scope` when any of it is malformed or not allowed, or when more than 1,000 are asked for
 * @see RFC 6749 §3.3
 */
export function grantScopes(
  requested: string | null,
  permit: Permit,
  resources: readonly ResourceServer[],
): readonly string[] {
  const isAllowed = scopeMatcher(permit.scope)
  const ceilings = resources.flatMap(({ scope }) => (scope === undefined ? [] : [scopeMatcher(splitScope(scope))]))
  const isServed = (token: string): boolean => ceilings.every((matches) => matches(token))
  const asked = splitScope(requested ?? '')
  if (asked.length > MAX_SCOPES) {
    throw invalidScope('scopes_too_many', `A request may ask for at most ${MAX_SCOPES} scopes.`)
  }
  const tokens = asked.length > 0 ? asked : permit.defaultScope.filter(isServed)
  for (const token of tokens) {
    if (!SCOPE_TOKEN.test(token)) {
      throw invalidScope('scope_malformed', 'The scope holds a character that is not allowed there.')
    }
    if (!isAllowed(token)) throw refused('scope_not_allowed', 'The client may not have the scope', token)
    if (!isServed(token)) throw refused('scope_not_served', 'A resource that is asked for has no scope', token)
  }
  return tokens
}

function refused(reason: ScopeReason, text: string, token: string): OAuthError {
  return invalidScope(reason, `${text} '${token.slice(0, MAX_ECHO_CHARACTERS)}'.`)
}
