import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { isSameJson, MAX_JSON_LEVELS, parseJson, parseUnique, parseUniqueThroughout } from '../../src/lib/json.ts'

/** A member name that needs no escape. */
const isPlain = (name: string) => !JSON.stringify(name).includes('\\')
const names = fc.string({ unit: 'binary' }).filter(isPlain)
const object = fc.dictionary(names, fc.jsonValue({ maxDepth: MAX_JSON_LEVELS - 2 }).filter(hasPlainNames))

function hasPlainNames(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, held]) => isPlain(name) && hasPlainNames(held))
}

describe('parseJson', () => {
  test('returns the value of JSON, and undefined for any other text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        assert.deepEqual(parseJson(JSON.stringify(value)), JSON.parse(JSON.stringify(value))),
      ),
    )
    for (const text of ['', '{', 'undefined', "{'a':1}", '1,']) assert.equal(parseJson(text), undefined)
  })
})

describe('parseUnique', () => {
  test('accepts every JSON object', () => {
    fc.assert(
      fc.property(object, fc.nat({ max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        assert.deepEqual(parseUnique(text), JSON.parse(text))
      }),
    )
  })

  test('refuses every object with a repeated name, however it is escaped', () => {
    const escaped = (name: string) =>
      `"${[...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    const name = fc.string({ maxLength: 3 }).filter(isPlain)
    fc.assert(
      fc.property(
        object,
        name,
        fc.jsonValue().filter(hasPlainNames),
        fc.boolean(),
        fc.boolean(),
        (value, twice, other, isFirst, isEscaped) => {
          const members = Object.entries({ ...value, [twice]: 1 }).map(
            ([each, member]) => `${JSON.stringify(each)}:${JSON.stringify(member)}`,
          )
          const again = `${isEscaped ? escaped(twice) : JSON.stringify(twice)} : ${JSON.stringify(other)}`
          const text = `{${(isFirst ? [again, ...members] : [...members, again]).join(',')}}`
          assert.throws(() => parseUnique(text), /appears twice/)
        },
      ),
    )
  })

  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":":"},"c":["\\"a\\":"],"a":2}',
    '{"__proto__":1,"__proto__":1}',
    '{"":1,"":1}',
  ]) {
    test(`refuses ${text}`, () => assert.throws(() => parseUnique(text), /appears twice/))
  }

  for (const text of ['{"\\\\":1}', '{"a\\n":1}', '{"\\"":1}', '{"a":[{"\\ud800":1}]}']) {
    test(`refuses ${text}`, () => assert.throws(() => parseUnique(text), /must be escaped/))
  }

  test('reads an escaped name as it is, whatever names the runtime has met', () => {
    for (const name of ['\\', '\\u', '\\u0']) JSON.parse(`{"a":0,${JSON.stringify(name)}:0}`)
    for (const name of ['b', 'bc', 'bcd']) {
      const escaped = `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`
      assert.deepEqual(parseUnique(`{"a":0,"${escaped}":0}`), { a: 0, [name]: 0 })
      assert.throws(() => parseUnique(`{"a":0,"${name}":0,"${escaped}":0}`), /appears twice/)
    }
  })

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
    test(`accepts ${text}`, () => assert.deepEqual(parseUnique(text), JSON.parse(text)))
  }
})

describe('parseUniqueThroughout', () => {
  test('accepts every JSON object', () => {
    fc.assert(
      fc.property(object, fc.nat({ max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        assert.deepEqual(parseUniqueThroughout(text), JSON.parse(text))
      }),
    )
  })

  for (const text of [
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":1}}',
    '{"a":[1,{"b":1,"\\u0062":2}]}',
    '{"a":{"b":{"c":1}},"a":2}',
    '{"a":{"__proto__":1,"__proto__":1}}',
    '{"claims":{"sub":"a","sub":{"glob":"a:*"}}}',
  ]) {
    test(`refuses ${text}`, () => assert.throws(() => parseUniqueThroughout(text), /appears twice/))
  }
  test('refuses what is no object', () => assert.throws(() => parseUniqueThroughout('[]'), TypeError))
})

describe('the levels of a JSON object', () => {
  const lists = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)},"b":[{"c":"[{\\"["}]}`
  const objects = (levels: number) => `${'{"a":'.repeat(levels)}":"${'}'.repeat(levels)}`
  for (const [name, nested] of Object.entries({ lists, objects })) {
    test(`may be ${MAX_JSON_LEVELS}, made of ${name}`, () => {
      const most = nested(MAX_JSON_LEVELS)
      assert.deepEqual(parseUnique(most), JSON.parse(most))
      for (const levels of [MAX_JSON_LEVELS + 1, 20_000]) assert.throws(() => parseUnique(nested(levels)))
    })
  }
})

describe('isSameJson', () => {
  const reversed = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(reversed)
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, member]) => [name, reversed(member)])
        .reverse(),
    )
  }

  test('does not see the order of members', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.ok(isSameJson(value, reversed(value)))))
  })

  test('sees every other difference', () => {
    const values: readonly unknown[] = [
      ...[undefined, null, 0, 1, '', '1', true, false, [], {}, [0], [1], [0, 1], [1, 0], [null], [[]], [{}]],
      ...[{ 0: 0 }, { a: null }, { a: 0 }, { a: 1 }, { b: 1 }, { a: 1, b: 1 }, { a: { b: 1 } }, { a: { b: 2 } }],
      ...['{"__proto__":{}}', '{"__proto__":null}', '{"constructor":{}}', '{"toString":{}}'].map((text) =>
        JSON.parse(text),
      ),
    ]
    for (const [place, one] of values.entries()) {
      for (const [otherPlace, other] of values.entries()) {
        assert.equal(isSameJson(one, other), place === otherPlace, `${JSON.stringify(one)} ${JSON.stringify(other)}`)
      }
    }
  })

  test('follows a value only as deep as the other', () => {
    const depth = 20_000
    assert.ok(!isSameJson(JSON.parse('['.repeat(depth) + ']'.repeat(depth)), [[]]))
  })
})
