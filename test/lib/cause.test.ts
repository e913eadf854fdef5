import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { causeText, placeOf } from '../../src/lib/cause.ts'

const withStack = (error: Error, stack: string | undefined) => Object.defineProperty(error, 'stack', { value: stack })

describe('causeText', () => {
  for (const [text, thrown] of [
    ['Error: down', new Error('down')],
    ['TypeError: bad', new TypeError('bad')],
    ['Error: a; Error: b', new Error('a', { cause: new Error('b') })],
    ['Error: a; RangeError: b; no route', new Error('a', { cause: new RangeError('b', { cause: 'no route' }) })],
    ['Error: a; null', new Error('a', { cause: null })],
    ['refused', 'refused'],
    ['undefined', undefined],
    ['7', 7],
  ] as const) {
    test(text, () => assert.equal(causeText(thrown), text))
  }
})

describe('placeOf', () => {
  const v8 = 'TypeError: hush\n    at run (file:///app/src/x.ts:7:9)\n    at file:///app/src/y.ts:1:1'
  const jsc = 'run@file:///app/src/x.ts:7:9\nmodule code@file:///app/src/y.ts:1:1'
  for (const [name, thrown, place] of [
    ['a stack of V8', withStack(new TypeError('hush'), v8), 'TypeError at run (file:///app/src/x.ts:7:9)'],
    ['a stack of JavaScriptCore', withStack(new TypeError('hush'), jsc), 'TypeError run@file:///app/src/x.ts:7:9'],
    ['a frame without a line number', withStack(new Error('hush'), 'Error: hush\n    at native'), 'Error'],
    ['a message that looks like a frame', withStack(new Error('mail a@b:1'), 'Error: mail a@b:1'), 'Error'],
    ['a message that names a place', withStack(new Error('at x:1'), 'Error: at x:1'), 'Error'],
    ['no stack', withStack(new RangeError('hush'), undefined), 'RangeError'],
    ['a text', 'hush', 'string'],
    ['an object', { hush: 1 }, 'object'],
    ['nothing', undefined, 'undefined'],
  ] as const) {
    test(name, () => assert.equal(placeOf(thrown), place))
  }

  test('returns a line of this file, without the message', () => {
    const place = placeOf(new Error('hush'))
    assert.match(place, /^Error .*cause\.test\.\w+.*:\d+/)
    assert.ok(!place.includes('hush'))
  })
})
