/** Scope patterns, and the rules for the claims of foreign tokens. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as v from 'valibot'
import { OAuthError } from '../../../src/errors.ts'
import { findClaim, matchesClaims, matchesGlob } from '../../../src/issuers/claim_rules.ts'
import { Rules } from '../../../src/issuers/rule_checks.ts'
import { readSpiffeId } from '../../../src/issuers/spiffe_id.ts'
import { grantScopes } from '../../../src/policy/scope.ts'
import { scopeMatcher } from '../../../src/policy/scope_patterns.ts'
import { type Fuzzed, fuzzed, pieces, readOr } from '../fuzzed.ts'

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** A scope pattern as a regular expression. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.split('.')
  const sources = parts.map((part, index) => {
    if (part !== '*') return quoted(part)
    return index === parts.length - 1 ? '[^.]+(?:\\.[^.]*)*' : '[^.]+'
  })
  return new RegExp(`^${sources.join('\\.')}$`, 's')
}

const dotted = fc
  .array(fc.constantFrom('*', '*', 'a', 'b', 'a*', '', '**', '\\', '"', 'é'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('.'))
const lists = fc.array(dotted, { maxLength: 8 })
const requests = fc.record({
  granted: lists,
  served: fc.option(lists),
  asked: pieces(['a', 'b', '.', '.', ' ', 'a.b', 'a*', '*', '"', '\\', '\t', 'é'], 10),
})

const scope = fuzzed('scope', requests, ({ granted, served, asked }) => {
  const matches = scopeMatcher(granted)
  const isAllowed = (token: string, patterns: readonly string[]): boolean =>
    patterns.some((pattern) => pattern === token && !pattern.includes('*')) ||
    (!token.split('.').includes('*') && patterns.some((pattern) => patternOf(pattern).test(token)))
  for (const token of asked.split(' ')) assert.equal(matches(token), isAllowed(token, granted), token)
  const permit = { subject: 's', scope: granted, defaultScope: ['a'], resources: [] }
  const resources = served === null ? [] : [{ resource: 'urn:rs', scope: served.join(' ') }]
  const read = readOr(() => grantScopes(asked, permit, resources), OAuthError)
  const tokens = asked.split(' ').filter((token) => token !== '')
  if (read === undefined) return
  for (const token of read.value) {
    assert.match(token, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
    assert.ok(isAllowed(token, granted) && (served === null || isAllowed(token, served.join(' ').split(' '))))
    assert.ok(tokens.includes(token) || tokens.length === 0)
  }
})

const glob = fc.record({
  glob: pieces(['a', 'b', 'ab', '*', '*', '**', ':', '/', '.', '?', '\n'], 9),
  value: pieces(['a', 'b', 'ab', 'aab', ':', '/', '.', '*', '\n', '\u{1f600}'], 10),
})

const globs = fuzzed('claim_glob', glob, ({ glob: given, value }) => {
  // What is stored has no other ** than at its end; the form of the definition is for that alone.
  const [start = '', ...more] = given.split('**')
  const text = more.length === 0 ? start : `${start.replace(/\*+$/, '')}**`
  const isOpen = text.endsWith('**')
  const source = (isOpen ? text.slice(0, -2) : text).split('*').map(quoted).join('[^:/]+')
  assert.equal(matchesGlob(text, value), new RegExp(`^${source}${isOpen ? '.+' : ''}$`, 's').test(value))
})

const leaf = fc.constantFrom<unknown>(
  'a',
  'repo:a/b',
  '',
  1,
  2 ** 53,
  true,
  null,
  ['a', 'b'],
  ['a', 1],
  [['a']],
  {},
  { glob: 'a' },
)
const names = fc.constantFrom(
  'sub',
  'aud',
  'iss',
  'a',
  '/a/b',
  '/a~1b/c',
  '/',
  '//',
  '/a',
  '__proto__',
  'constructor',
  '/a/__proto__',
  'toString',
  'repository_id',
)
const claims = fc.dictionary(
  fc.constantFrom('sub', 'aud', 'a', 'a/b', 'repository_id', '', 'iss'),
  fc.oneof(leaf, fc.dictionary(fc.constantFrom('b', 'c', ''), leaf)),
  { noNullPrototype: true },
)
const rule = fc.oneof(
  leaf,
  fc.constantFrom<unknown>({ glob: 'repo:*' }, { glob: 'a:**' }, { glob: '*' }, { glob: 1 }, []),
)
const ruled = fc.record({ claims, rules: fc.array(fc.tuple(names, rule), { maxLength: 4 }) })

/** A JSON pointer, one member after another. */
function pointed(value: unknown, path: readonly string[]): unknown {
  const [member, ...rest] = path
  if (member === undefined) return value
  const isObject = Object.prototype.toString.call(value) === '[object Object]'
  const held = isObject ? Object.entries(value as object).find(([name]) => name === member) : undefined
  return held === undefined ? undefined : pointed(held[1], rest)
}

const rules = fuzzed('claim_rules', ruled, ({ claims: held, rules: entries }) => {
  for (const [name] of entries) {
    const path = name.startsWith('/')
      ? name
          .slice(1)
          .split('/')
          .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      : [name]
    assert.deepEqual(findClaim(held, name), pointed(held, path))
  }
  const read = v.safeParse(Rules, Object.fromEntries(entries))
  if (!read.success) {
    assert.notEqual(read.issues[0].message, '')
    return
  }
  const matches = matchesClaims(read.output, held)
  assert.equal(
    matches,
    Object.entries(read.output).every(([name, each]) => matchesClaims({ [name]: each }, held)),
  )
  assert.deepEqual(v.parse(Rules, JSON.parse(JSON.stringify(read.output))), read.output)
  for (const [name, each] of Object.entries(read.output)) {
    const value = findClaim(held, name)
    if (typeof each === 'object' || !matches) continue
    assert.ok(value === each || (Array.isArray(value) && value.includes(each) && !['iss', 'sub', 'aud'].includes(name)))
  }
})

const ids = pieces(
  ['spiffe://', 'SPIFFE://', 'example', 'A.b', '/', 'svc', '.', '..', '%2e', '?', '#', '@', ':1', 'é', '_', '\n'],
  8,
)

const spiffe = fuzzed('spiffe_id', ids, (text) => {
  const read = readSpiffeId(text)
  if (read === undefined) return
  assert.equal(text.toLowerCase(), `spiffe://${read.trustDomain}${read.path}`.toLowerCase())
  const { host, pathname, search, hash } = new URL(text.replace(/^spiffe/i, 'http'))
  assert.deepEqual([pathname, search, hash], [read.path, '', ''])
  if (!/^[\d.]+$|[^a-z\d.-]|\.(\d+|0x[\da-f]*)\.?$/.test(read.trustDomain) && !read.trustDomain.includes('xn--'))
    assert.equal(host, read.trustDomain)
})

export const RULE_READERS: readonly Fuzzed[] = [scope, globs, rules, spiffe]
