import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { turns } from '../../src/lib/turns.ts'

function setUp() {
  const state = { milliseconds: 0 }
  const take = turns({
    clock: () => state.milliseconds,
    maxWaiting: 3,
    maxWaitMilliseconds: 100,
    maxSilentMilliseconds: 1000,
  })
  return { state, take }
}

describe('turns', () => {
  test('run one at a time, in order of arrival', async () => {
    const { take } = setUp()
    const first = await take('a', 0)
    assert.ok(first)
    const order: string[] = []
    const waiting = ['b', 'a', 'c'].map(async (key) => {
      const turn = await take(key, 0)
      order.push(key)
      turn?.end()
    })
    assert.equal(await take('d', 0), undefined)
    assert.deepEqual(order, [])
    first.end()
    await Promise.all(waiting)
    assert.deepEqual(order, ['b', 'a', 'c'])
  })

  test('each key has one place, which a caller of higher rank takes over', async () => {
    const { take } = setUp()
    const first = await take('a', 0)
    const [low, behind] = [take('b', 0), take('c', 0)]
    assert.equal(await take('b', 0), undefined)
    const high = take('b', 1)
    assert.equal(await low, undefined)
    assert.equal(await take('b', 1), undefined)
    first?.end()
    const turn = await high
    assert.ok(turn)
    turn.end()
    assert.ok(await behind)
  })

  test('a caller that waited too long gets no turn and frees its place', async () => {
    const { state, take } = setUp()
    await take('a', 0)
    const waiting = take('b', 0)
    state.milliseconds = 101
    assert.equal(await waiting, undefined)
    const another = take('b', 0)
    state.milliseconds = 202
    assert.equal(await another, undefined)
  })

  test('a turn lasts while it is renewed, and expires otherwise', async () => {
    const { state, take } = setUp()
    const first = await take('a', 0)
    state.milliseconds = 1000
    first?.renew()
    state.milliseconds = 1950
    const waiting = take('b', 0)
    state.milliseconds = 2001
    const second = await waiting
    assert.ok(second)
    // Ending an expired turn does not affect the next one.
    first?.end()
    const third = take('c', 0)
    state.milliseconds = 2102
    assert.equal(await third, undefined)
    second.end()
    assert.ok(await take('c', 0))
  })
})
