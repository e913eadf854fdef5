import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { type Lru, lru } from '../../src/lib/lru.ts'

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `${from + index}`)

type Step = readonly [operation: 'set' | 'get' | 'delete', key: string]

/** Runs the steps on a new map; the value of a key is the number of the step that set it. */
function play(maxEntries: number, steps: readonly Step[]): Lru<number> {
  const map = lru<number>(maxEntries)
  for (const [index, [operation, key]] of steps.entries()) map[operation](key, index)
  return map
}

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
    const step = fc.tuple(fc.constantFrom('set', 'set', 'get', 'delete'), fc.constantFrom(...ids(0, 12)))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (maxEntries, steps) => {
        const set = new Map<string, number>()
        let recent: string[] = []
        for (const [index, [operation, key]] of steps.entries()) {
          // A look-up that finds nothing is no use of the key.
          if (operation === 'get' && play(maxEntries, steps.slice(0, index)).get(key) === undefined) continue
          recent = recent.filter((each) => each !== key)
          recent.push(key)
          if (operation === 'delete') set.delete(key)
          if (operation === 'set') set.set(key, index)
        }
        // Each look-up changes what is held, so each has a map of its own.
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

  test('holds a value that is false', () => {
    const map = lru<number | boolean>(1)
    map.set('a', 0)
    assert.equal(map.get('a'), 0)
    map.set('b', false)
    assert.equal(map.get('b'), false)
  })
})
