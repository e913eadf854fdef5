import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { scopeMatches, splitScope } from '../../src/policy/scope.ts'

/** Rows of fosite's wildcard strategy; `false` for the literal wildcard is ours. */
const rows: readonly [pattern: string, requested: string, matches: boolean][] = [
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
  ['*', 'foo', true],
  ['*', 'foo.bar', true],
  ['*', '', false],
  ['*', '*', false],
  ['foo.*.baz', 'foo.bar.baz', true],
  ['foo.*.baz', 'foo.a.b.baz', false],
  ['foo.*.baz', 'foo..baz', false],
  ['foo.*.*', 'foo.bar', false],
  ['foo.*.*', 'foo.bar.baz.q', true],
  ['foo.b*', 'foo.bar', false],
  ['foo.b*', 'foo.b*', true],
]

describe('scopeMatches', () => {
  for (const [pattern, requested, matches] of rows) {
    test(`'${pattern}' ${matches ? 'allows' : 'refuses'} '${requested}'`, () => {
      assert.equal(scopeMatches(pattern, requested), matches)
    })
  }

  test('a pattern without a wildcard allows itself only', () => {
    const token = fc.stringMatching(/^[a-c.]{0,5}$/)
    fc.assert(
      fc.property(token, token, (pattern, requested) => scopeMatches(pattern, requested) === (pattern === requested)),
    )
  })
})

describe('splitScope', () => {
  test('splits on blanks only, once each, in order', () => {
    assert.deepEqual(splitScope('  b a\tc  b '), ['b', 'a\tc'])
    assert.deepEqual(splitScope(''), [])
  })
})
