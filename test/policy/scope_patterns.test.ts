import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { scopeMatcher } from '../../src/policy/scope_patterns.ts'

/** Rows of fosite's wildcard strategy. Only `false` for the literal wildcard differs from fosite. */
const rows: readonly [pattern: string, scope: string, matches: boolean][] = [
  ['foo', 'foo', true],
  ['foo', 'foo.bar', false],
  ['foo.bar', 'foo', false],
  ['foo.*', 'foo.bar', true],
  ['foo.*', 'foo.bar.baz', true],
  ['foo.*', 'foo.bar.', true],
  ['foo.*', 'foo', false],
  ['foo.*', 'foo.', false],
  ['foo.*', 'foo..bar', false],
  ['foo.*', 'foo.*', false],
  ['foo.*', 'foo.bar.*', false],
  ['*', 'foo', true],
  ['*', 'foo.bar', true],
  ['*', '', false],
  ['*', '*', false],
  ['foo.*.baz', 'foo.bar.baz', true],
  ['foo.*.baz', 'foo.bar.baz.q', false],
  ['foo.*.baz', 'foo.bar', false],
  ['foo.*.baz', 'foo.a.b.baz', false],
  ['foo.*.baz', 'foo..baz', false],
  ['foo.*.*', 'foo.bar', false],
  ['foo.*.*', 'foo.bar.baz.q', true],
  ['foo.b*', 'foo.bar', false],
  ['foo.b*', 'foo.b*', true],
]

/** The definition, one pattern and one scope at a time. */
function scopeMatches(pattern: string, scope: string): boolean {
  const wanted = scope.split('.')
  const parts = pattern.split('.')
  if (wanted.includes('*') || parts.length > wanted.length) return false
  if (parts.length < wanted.length && parts.at(-1) !== '*') return false
  return parts.every((part, index) => (part === '*' ? wanted[index] !== '' : part === wanted[index]))
}

const dotted = (part: fc.Arbitrary<string>) =>
  fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'))
const patterns = fc.array(dotted(fc.constantFrom('*', '*', 'a', 'b', 'a*', '')), { maxLength: 40 })
const scope = dotted(fc.constantFrom('a', 'a', 'b', 'a*', '', '*'))

describe('scopeMatcher', () => {
  for (const [pattern, asked, matches] of rows) {
    test(`'${pattern}' ${matches ? 'allows' : 'refuses'} '${asked}'`, () => {
      assert.equal(scopeMatcher([pattern])(asked), matches)
      assert.equal(scopeMatches(pattern, asked), matches)
    })
  }

  test('matches many patterns as the definition matches each of them', () => {
    fc.assert(
      fc.property(patterns, fc.array(scope, { maxLength: 10 }), (all, asked) => {
        const matches = scopeMatcher(all)
        for (const each of asked) {
          assert.equal(
            matches(each),
            all.some((pattern) => scopeMatches(pattern, each)),
            `${all.join(' ')}: ${each}`,
          )
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('no patterns allow nothing', () => assert.equal(scopeMatcher([])('a'), false))
})
