import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { type Lru, lru } from '../../src/lib/lru.ts'

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `${from + index}`)

type Step = readonly [operation: 'set' | 'get' | 'delete', key: string]

/** Runs the steps on a new map. The value of a key is the number of the step that set it. */
function play(maxEntries: number, steps: readonly Step[]): Lru<number> {
  const map = lru<number>(maxEntries)
  for (const [index, [operation, key]] of steps.entries()) map[operation](key, index)
  return map
}

describe('lru', () => {
  test('evicts the least recently used entries, and no entry that was used recently', () => {
    const map = lru<number>(10)
    for (const id of ids(0, 5)) map.set(id, 1)
    assert.equal(map.get('0'), 1)
    for (const id of ids(5, 9)) map.set(id, 1)
    assert.deepEqual(
      ids(0, 9).filter((id) => map.get(id) !== undefined),
      ['0', ...ids(5, 9)],
    )
  })

  test('keeps the most recently used half of its maximum, and never exceeds the maximum', () => {
    const step = fc.tuple(fc.constantFrom('set', 'set', 'get', 'delete'), fc.constantFrom(...ids(0, 12)))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (maxEntries, steps) => {
        const set = new Map<string, number>()
        let recent: string[] = []
        for (const [index, [operation, key]] of steps.entries()) {
          // A look-up of a missing key does not count as use.
          if (operation === 'get' && play(maxEntries, steps.slice(0, index)).get(key) === undefined) continue
          recent = recent.filter((each) => each !== key)
          recent.push(key)
          if (operation === 'delete') set.delete(key)
          if (operation === 'set') set.set(key, index)
        }
        // Each look-up changes the map, so each runs on a new one.
        const held = ids(0, 12).flatMap((key) => {
          const value = play(maxEntries, steps).get(key)
          return value === undefined ? [] : [[key, value] as const]
        })
        assert.ok(held.length <= maxEntries, `${held.length} of ${maxEntries}`)
        for (const [key, value] of held) assert.equal(value, set.get(key))
        const newest = recent.slice(-Math.ceil(maxEntries / 2)).filter((key) => set.has(key))
        for (const key of newest)
          assert.ok(
            held.some(([each]) => each === key),
            key,
          )
      }),
      { numRuns: 300 },
    )
  })

  test('does not return old values after repeated sets and deletes', () => {
    const map = lru<number>(4)
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    assert.equal(map.get('a'), 3)
    map.delete('a')
    map.set('c', 4)
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 2, 4])
  })

  test('stores falsy values', () => {
    const map = lru<number | boolean>(1)
    map.set('a', 0)
    assert.equal(map.get('a'), 0)
    map.set('b', false)
    assert.equal(map.get('b'), false)
  })
})
