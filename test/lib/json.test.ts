import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { parseUnique } from '../../src/lib/json.ts'

const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())

describe('parseUnique', () => {
  test('takes every object that JSON can hold', () => {
    fc.assert(
      fc.property(object, fc.nat({ max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        assert.deepEqual(parseUnique(text), JSON.parse(text))
      }),
    )
  })

  test('refuses every object with a name that repeats, however it is spelled', () => {
    const escaped = (name: string) =>
      `"${[...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    const name = fc.string({ maxLength: 3 })
    fc.assert(
      fc.property(
        object,
        name,
        fc.jsonValue(),
        fc.boolean(),
        fc.boolean(),
        (value, twice, other, isFirst, isEscaped) => {
          const members = Object.entries({ ...value, [twice]: 1 }).map(
            ([each, member]) => `${JSON.stringify(each)}:${JSON.stringify(member)}`,
          )
          const again = `${isEscaped ? escaped(twice) : JSON.stringify(twice)} : ${JSON.stringify(other)}`
          const text = `{${(isFirst ? [again, ...members] : [...members, again]).join(',')}}`
          assert.throws(() => parseUnique(text), /stands twice/)
        },
      ),
    )
  })

  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":":"},"c":["\\"a\\":"],"a":2}',
    '{"__proto__":1,"__proto__":1}',
    '{"\\\\":1,"\\\\":1}',
    '{"":1,"":1}',
    '{"a\\n":1,"a\\n":1}',
  ]) {
    test(`refuses ${text}`, () => assert.throws(() => parseUnique(text), /stands twice/))
  }

  for (const text of ['[]', '[{"a":1}]', 'null', '1', '"a"', 'true']) {
    test(`refuses ${text}`, () => assert.throws(() => parseUnique(text), TypeError))
  }

  for (const text of ['', '{', '{}{}', '{"a":1,}', "{'a':1}", '\ufeff{}']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseUnique(text), SyntaxError))
  }

  for (const text of [
    '{}',
    '{"a":{"x":1,"y":2},"b":[{"x":1}]}',
    '{"a":[{"a":1},{"a":2}],"b":{"b":{"b":1}}}',
    '{"a:":":","b":"{","c":"}","d":"\\":"}',
    '{"a":"\\\\","b":1}',
  ]) {
    test(`takes ${text}`, () => assert.deepEqual(parseUnique(text), JSON.parse(text)))
  }
})
