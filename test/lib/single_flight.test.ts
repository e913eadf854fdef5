import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { singleFlight } from '../../src/lib/single_flight.ts'

describe('singleFlight', () => {
  test('runs the work once for concurrent callers, and again for later ones', async () => {
    const flight = singleFlight<number>(1)
    let done = 0
    const work = async () => ++done
    assert.deepEqual(await Promise.all([flight('a', work), flight('a', work), flight('b', work)]), [1, 1, 2])
    assert.equal(await flight('a', work), 3)
  })

  test('rejects all callers that share failed work, and forgets it', async () => {
    const flight = singleFlight<number>(1)
    let failures = 0
    const fail = () => {
      failures++
      return Promise.reject(new Error('down'))
    }
    const tries = await Promise.allSettled([flight('a', fail), flight('a', fail)])
    assert.ok(tries.every(({ status }) => status === 'rejected'))
    assert.equal(failures, 1)
    assert.equal(await flight('a', async () => 1), 1)
  })

  test('work that never settles delays the callers that share it for a limited time, and no later caller', async () => {
    const flight = singleFlight<number>(0.05)
    void flight('a', () => new Promise<number>(() => undefined))
    await assert.rejects(
      flight('a', async () => 1),
      /no answer within 0.05 s/,
    )
    assert.equal(await flight('a', async () => 2), 2)
  })

  test('there is no time limit for the caller that started the work', async () => {
    const flight = singleFlight<number>(0.01)
    const slow = flight('a', () => new Promise((resolve) => setTimeout(resolve, 60, 1)))
    await assert.rejects(
      flight('a', async () => 2),
      /no answer/,
    )
    assert.equal(await slow, 1)
  })

  test('abandoned work that settles late does not affect the work started after it', async () => {
    const flight = singleFlight<number>(0.02)
    const { promise: late, resolve: endLate } = Promise.withResolvers<number>()
    const first = flight('a', () => late)
    await assert.rejects(
      flight('a', async () => 0),
      /no answer/,
    )
    const { promise: next, resolve: endNext } = Promise.withResolvers<number>()
    const second = flight('a', () => next)
    endLate(1)
    assert.equal(await first, 1)
    const third = flight('a', async () => 3)
    endNext(2)
    assert.deepEqual(await Promise.all([second, third]), [2, 2])
  })
})
