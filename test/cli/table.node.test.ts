import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { memberLines, openTable } from '../../src/cli/table.ts'

const HEAD = ['id', 'name']

describe('tables', () => {
  test('are as wide as their content, without spaces at the end of a line', () => {
    assert.deepEqual(
      openTable(
        HEAD,
        undefined,
      )([
        ['a-long-identifier', 'x'],
        ['b', ''],
      ]),
      ['id                 name', 'a-long-identifier  x', 'b'],
    )
  })

  test('have the head once, and columns that only grow from page to page', () => {
    const layOut = openTable(HEAD, undefined)
    assert.deepEqual(layOut([['aaaa', 'x']]), ['id    name', 'aaaa  x'])
    assert.deepEqual(layOut([['b', 'y']]), ['b     y'])
    assert.deepEqual(layOut([['cccccc', 'z']]), ['cccccc  z'])
  })

  test('have one member per line, uncut, where the terminal is too narrow', () => {
    const rows = [
      ['a'.repeat(40), 'x'],
      ['b', 'y'.repeat(80)],
    ]
    assert.deepEqual(openTable(HEAD, 60)(rows), [
      `id    ${'a'.repeat(40)}`,
      'name  x',
      '',
      'id    b',
      `name  ${'y'.repeat(80)}`,
      '',
    ])
    assert.equal(openTable(HEAD, 122)(rows).length, 3)
  })

  test('count two cells for wide characters and none for combining ones', () => {
    assert.deepEqual(
      openTable(
        HEAD,
        undefined,
      )([
        ['日本', 'x'],
        ['e\u0301', 'y'],
        ['🙂', 'z'],
      ]),
      ['id    name', '日本  x', 'e\u0301     y', '🙂    z'],
    )
  })

  test('of members have the values below each other', () => {
    assert.deepEqual(
      memberLines([
        ['client_id', 'a'],
        ['scope', 'b'],
      ]),
      ['client_id  a', 'scope      b'],
    )
    assert.deepEqual(memberLines([]), [])
  })
})
