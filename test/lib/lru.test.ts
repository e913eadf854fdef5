import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { lru } from '../../src/lib/lru.ts'

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `${from + index}`)

describe('lru', () => {
  test('lets go of what was not used for the longest time, and of nothing that was used of late', () => {
    const map = lru<number>(10)
    for (const id of ids(0, 5)) map.set(id, 1)
    assert.equal(map.get('0'), 1)
    for (const id of ids(5, 9)) map.set(id, 1)
    assert.deepEqual(
      ids(0, 9).filter((id) => map.get(id) !== undefined),
      ['0', ...ids(5, 9)],
    )
  })

  test('holds the half of its bound that was used last, and never more than its bound', () => {
    const map = lru<number>(10)
    for (const id of ids(0, 1000)) {
      map.set(id, 1)
      for (const recent of ids(Math.max(0, Number(id) - 4), Number(id) + 1)) assert.equal(map.get(recent), 1)
    }
    assert.ok(ids(0, 1000).filter((id) => map.get(id) !== undefined).length <= 10)
  })

  test('setting anew and deleting makes no room for ghosts', () => {
    const map = lru<number>(4)
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    assert.equal(map.get('a'), 3)
    map.delete('a')
    map.set('c', 4)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 2, 4])
  })
})
