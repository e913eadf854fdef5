import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { parseUnique } from '../../src/lib/json.ts'

describe('parseUnique', () => {
  test('takes every object that JSON can hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        assert.deepEqual(parseUnique(text), JSON.parse(text))
      }),
    )
  })

  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":":"},"c":["\\"a\\":"],"a":2}',
    '[]',
    'null',
    '1',
    '"a"',
    '',
    '{',
  ]) {
    test(`refuses ${text}`, () => assert.throws(() => parseUnique(text)))
  }

  test('does not count what is below', () => {
    assert.deepEqual(parseUnique('{"a":{"x":1,"y":2},"b":[{"x":1}]}'), { a: { x: 1, y: 2 }, b: [{ x: 1 }] })
  })
})
