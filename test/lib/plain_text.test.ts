import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { escapeUnseen, isPlainText } from '../../src/lib/plain_text.ts'

describe('isPlainText', () => {
  for (const text of ['', 'Reports', 'Ünï 日本', 'Отчёты', '😀']) {
    test(`accepts '${text}'`, () => assert.ok(isPlainText(text)))
  }

  const refused: readonly [name: string, text: string][] = [
    ['a leading space', ' a'],
    ['a trailing space', 'a '],
    ['a control character', 'a\u0007'],
    ['a bidirectional mark', 'a\u202eb'],
    ['a zero-width space', 'a\u200bb'],
    ['a line separator', 'a\u2028b'],
    ['a private code point', '\ue000'],
    ['an unassigned code point', '\u0378'],
    ['a lone surrogate', '\ud800'],
    ['a decomposed letter', 'u\u0308'],
    ['a compatibility character', 'ﬁ'],
    ['Latin and Cyrillic letters', 'pаypal'],
    ['Latin and Greek letters', 'pαypal'],
  ]
  for (const [name, text] of refused) test(`refuses ${name}`, () => assert.ok(!isPlainText(text)))
})

describe('escapeUnseen', () => {
  test('escapes each code unit of an invisible character', () => {
    assert.equal(escapeUnseen('"a\u009b\u{e0001}é"'), '"a\\u009b\\udb40\\udc01é"')
  })
})
