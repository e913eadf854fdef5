import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { lru } from '../../src/lib/lru.ts'

describe('lru', () => {
  test('lets go of what was not used for the longest time', () => {
    const map = lru<number>(2)
    map.set('a', 1)
    map.set('b', 2)
    assert.equal(map.get('a'), 1)
    map.set('c', 3)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3])
  })

  test('keeps its bound whatever is set', () => {
    const map = lru<number>(10)
    const keys = Array.from({ length: 1000 }, (_, index) => `${index}`)
    for (const key of keys) map.set(key, 1)
    assert.equal(keys.filter((key) => map.get(key) !== undefined).length, 10)
  })

  test('setting anew and deleting makes no room for ghosts', () => {
    const map = lru<number>(2)
    map.set('a', 1)
    map.set('a', 2)
    map.set('b', 3)
    assert.equal(map.get('a'), 2)
    map.delete('a')
    map.set('c', 4)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 3, 4])
  })
})
