/** The language in which a client's record says what a foreign token must claim. Pure: no clock, no store, no network. */

import type { ClaimRule, ClaimRules } from '../types.ts'

/** The claims of a token. */
export type Claims = Readonly<Record<string, unknown>>

/** Claims that are one value: a list of several never matches. */
const SINGLE: ReadonlySet<string> = new Set(['iss', 'sub', 'aud'])

/** Ends a glob, and matches everything that follows. */
export const REST = '**'

/** What `*` does not cross. */
const SEPARATOR = /[:/]/

/** Returns whether every rule holds. No rules hold for nothing. */
export function matchesClaims(rules: ClaimRules, claims: Claims): boolean {
  const entries = Object.entries(rules)
  return entries.length > 0 && entries.every(([name, rule]) => matchesClaim(name, rule, findClaim(claims, name)))
}

/** Returns whether a rule holds for the value of a claim. Of a list, one element is enough; an object never matches. */
export function matchesClaim(name: string, rule: ClaimRule, value: unknown): boolean {
  const isList = Array.isArray(value) && !SINGLE.has(name)
  return isList ? value.some((each) => holds(rule, each)) : holds(rule, value)
}

/**
 * Returns the value of a claim, undefined when there is none. A name that begins with `/` is a JSON pointer into objects; it does
 * not point into lists.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6901#section-4 RFC 6901 §4}
 */
export function findClaim(claims: Claims, name: string): unknown {
  let value: unknown = claims
  for (const member of pathOf(name)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, member)) {
      return undefined
    }
    value = (value as Claims)[member]
  }
  return value
}

/** Returns the member names that lead to a claim. */
export function pathOf(name: string): readonly string[] {
  if (!name.startsWith('/')) return [name]
  return name
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Returns whether a rule is a glob. */
export function isGlob(rule: ClaimRule): rule is { readonly glob: string } {
  return typeof rule === 'object' && 'glob' in rule
}

function holds(rule: ClaimRule, value: unknown): boolean {
  if (isGlob(rule)) return typeof value === 'string' && matchesGlob(rule.glob, value)
  return typeof rule === 'object' ? typeof value === 'string' && rule.includes(value) : rule === value
}

/**
 * Returns whether a text has the form of a glob: `*` is one or more characters other than `:` and `/`, a final `**` is one or more
 * characters of any kind, and everything else is itself. Takes time in proportion to the lengths of both.
 */
export function matchesGlob(glob: string, text: string): boolean {
  const isOpen = glob.endsWith(REST)
  const [first = '', ...others] = (isOpen ? glob.slice(0, -REST.length) : glob).split('*')
  if (!text.startsWith(first)) return false
  let end = first.length
  for (const [index, literal] of others.entries()) {
    // The leftmost place leaves most to what follows; the last part must end the text.
    const isLast = !isOpen && index === others.length - 1
    const start = isLast ? text.length - literal.length : text.indexOf(literal, end + 1)
    if (start <= end || !text.startsWith(literal, start) || SEPARATOR.test(text.slice(end, start))) return false
    end = start + literal.length
  }
  return isOpen ? text.length > end : text.length === end
}
