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
  test('come in the order of arrival, one at a time', async () => {
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

  test('a key has one place, which a higher rank takes without losing it', async () => {
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

  test('one that waited for too long goes without, and leaves its place', async () => {
    const { state, take } = setUp()
    await take('a', 0)
    const waiting = take('b', 0)
    state.milliseconds = 101
    assert.equal(await waiting, undefined)
    const another = take('b', 0)
    state.milliseconds = 202
    assert.equal(await another, undefined)
  })

  test('a turn goes on while it is renewed, and ends when it is silent', async () => {
    const { state, take } = setUp()
    const first = await take('a', 0)
    state.milliseconds = 1000
    first?.renew()
    state.milliseconds = 1950
    const waiting = take('b', 0)
    state.milliseconds = 2001
    const second = await waiting
    assert.ok(second)
    // The end of a turn that was over already takes nothing from the next.
    first?.end()
    const third = take('c', 0)
    state.milliseconds = 2102
    assert.equal(await third, undefined)
    second.end()
    assert.ok(await take('c', 0))
  })
})
