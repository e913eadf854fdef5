import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { singleFlight } from '../../src/lib/single_flight.ts'

describe('singleFlight', () => {
  test('does the work once for all who ask while it is under way, and anew for who comes after', async () => {
    const flight = singleFlight<number>(1)
    let done = 0
    const work = async () => ++done
    assert.deepEqual(await Promise.all([flight('a', work), flight('a', work), flight('b', work)]), [1, 1, 2])
    assert.equal(await flight('a', work), 3)
  })

  test('rejects all who share it when it fails, and forgets it', async () => {
    const flight = singleFlight<number>(1)
    const fail = () => Promise.reject(new Error('down'))
    const tries = await Promise.allSettled([flight('a', fail), flight('a', fail)])
    assert.ok(tries.every(({ status }) => status === 'rejected'))
    assert.equal(await flight('a', async () => 1), 1)
  })

  test('work that never ends holds up those who share it for a time, and nobody after', async () => {
    const flight = singleFlight<number>(0.05)
    void flight('a', () => new Promise<number>(() => undefined))
    await assert.rejects(
      flight('a', async () => 1),
      /no answer within 0.05 s/,
    )
    assert.equal(await flight('a', async () => 2), 2)
  })
})
