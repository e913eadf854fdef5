import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { slots } from '../../src/lib/slots.ts'

const never = () => new Promise<never>(() => undefined)

/** One slot, one place to wait, and a clock that the test sets. */
function setUp() {
  const clock = { now: 0 }
  const options = { maxRunning: 1, maxWaiting: 1, maxWaitMilliseconds: 1000, maxHeldMilliseconds: 5000 }
  return { clock, run: slots({ clock: () => clock.now, ...options }) }
}

describe('slots', () => {
  test('a slot is free again after its work, also after one that failed', async () => {
    const { run } = setUp()
    assert.deepEqual(await run(async () => [1]), [1])
    await assert.rejects(
      run(() => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.deepEqual(await run(async () => [2]), [2])
  })

  test('a caller waits for its turn; one more is not let in', async () => {
    const { run } = setUp()
    const gate = Promise.withResolvers<number[]>()
    const first = run(() => gate.promise)
    const second = run(async () => [2])
    assert.equal(await run(async () => [3]), undefined)
    gate.resolve([1])
    assert.deepEqual([await first, await second], [[1], [2]])
  })

  test('a caller that waits for too long is not served', async () => {
    const { clock, run } = setUp()
    void run(never)
    const second = run(async () => [2])
    clock.now = 1001
    assert.equal(await second, undefined)
  })

  test('work that never ends loses its slot', async () => {
    const { clock, run } = setUp()
    void run(never)
    clock.now = 5001
    assert.deepEqual(await run(async () => [2]), [2])
  })
})
