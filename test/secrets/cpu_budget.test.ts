import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { cpuBudget } from '../../src/secrets/cpu_budget.ts'

/** A budget of 1000 ms for each client and 3000 ms for all, with a clock that the test moves. */
function setUp() {
  const state = { milliseconds: 5 }
  const budget = cpuBudget({ clock: () => state.milliseconds, clientAllowance: 1000, totalAllowance: 3000 })
  let secrets = 0
  const enter = (clientId: string, costMilliseconds: number, presented = `${secrets++}`): string | number => {
    try {
      return budget.enter({ clientId, presented, costMilliseconds })
    } catch (error) {
      assert.ok(error instanceof OAuthError)
      return `Retry-After ${error.headers['Retry-After']}`
    }
  }
  return { state, budget, enter }
}

describe('cpuBudget', () => {
  test('Retry-After is when enough is left for a secret that comes back; new secrets need more', () => {
    const { state, enter } = setUp()
    assert.equal(enter('a', 2000), 0)
    // 2000 ms are spent; of 1000 ms, a secret that comes back may spend the last quarter. Refilled by an eighth of the time.
    assert.equal(enter('a', 1, 's'), `Retry-After ${((2000 - 750) * 8) / 1000}`)
    state.milliseconds += 9_999
    assert.equal(enter('a', 1, 's'), 'Retry-After 1')
    state.milliseconds += 1
    assert.equal(enter('a', 1, 't'), 'Retry-After 1')
    state.milliseconds += 899
    assert.equal(enter('a', 1, 's'), 2)
    assert.equal(enter('a', 1), 'Retry-After 1')
    state.milliseconds += 2000
    assert.equal(enter('a', 1), 0)
  })

  test('has room for several comparisons even if they cost more than the allowance', () => {
    const { state, enter } = setUp()
    for (let index = 0; index < 3; index++) assert.equal(enter('a', 2560), 0)
    assert.equal(enter('a', 2560, 's'), 'Retry-After 1')
    state.milliseconds += 1000
    assert.equal(enter('a', 2560, 's'), 1)
  })

  test('refunds a charge to the client and to the total', () => {
    const { budget, enter } = setUp()
    for (let index = 0; index < 100; index++) {
      assert.equal(enter('a', 250, 's'), 0)
      budget.refund({ clientId: 'a', presented: 's', costMilliseconds: 250 })
    }
  })

  test('all clients with wrong secrets together have an allowance, refilled by a quarter of the time', () => {
    const { state, budget, enter } = setUp()
    const ids = Array.from({ length: 20 }, (_, id) => `${id}`)
    for (const clientId of ids) budget.fail({ clientId, presented: 'x', costMilliseconds: 0 })
    const guessAtMany = () =>
      Array.from({ length: 20 }, (_, id) => enter(`${id}`, 250)).filter((answer) => answer === 0).length
    assert.equal(guessAtMany(), 7)
    assert.equal(guessAtMany(), 0)
    state.milliseconds += 4000
    assert.equal(guessAtMany(), 4)
    assert.equal(enter('quiet', 250), 0, 'a client without a wrong secret does not pay for the others')
  })

  test('a client is quiet again a minute after its last wrong secret', () => {
    const { state, budget, enter } = setUp()
    budget.fail({ clientId: 'a', presented: 'x', costMilliseconds: 0 })
    const drain = () => {
      for (let id = 0; enter(`drain-${id}`, 1000) === 0 && id < 200; id++);
    }
    drain()
    assert.match(String(enter('a', 1)), /^Retry/)
    state.milliseconds += 59_999
    drain()
    assert.match(String(enter('a', 1)), /^Retry/)
    state.milliseconds += 1
    assert.equal(enter('a', 1), 0)
  })

  test('a secret that does not wait gains nothing; one that waits each time gains each time', () => {
    const { state, enter } = setUp()
    while (enter('a', 10) === 0);
    for (let index = 0; index < 100; index++) assert.match(String(enter('a', 10, 's')), /^Retry/)
    state.milliseconds += 899
    // The allowance was refilled with an eighth of the time. New secrets use that up first.
    while (enter('a', 10) === 0);
    assert.match(String(enter('a', 10, 's')), /^Retry/)
    state.milliseconds += 1
    assert.equal(enter('a', 10, 's'), 1)
  })

  test('forgets old charges and secrets that were turned away long ago', () => {
    const { state, enter } = setUp()
    while (enter('a', 1) === 0);
    enter('a', 1, 's')
    for (let index = 0; index < 8192; index++) enter('a', 1)
    state.milliseconds += 900
    while (enter('a', 1) === 0);
    assert.match(String(enter('a', 1, 's')), /^Retry/)
    for (let index = 0; index < 1000; index++) enter(`c-${index}`, 1)
    assert.equal(enter('a', 1), 0)
  })
})
