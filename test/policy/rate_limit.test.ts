import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { limitRate } from '../../src/policy/rate_limit.ts'
import { NOW } from '../support/world.ts'

function retryAfter(ask: () => void): string | undefined {
  try {
    ask()
    return undefined
  } catch (error) {
    assert.ok(error instanceof OAuthError && error.status === 429)
    return error.headers['Retry-After']
  }
}

describe('limitRate', () => {
  test('limits the requests within a minute, for each caller separately', () => {
    const limit = limitRate(2)
    const ask = (caller: string, now: number) => retryAfter(() => limit(caller, now))
    assert.deepEqual(
      [ask('a', NOW), ask('a', NOW), ask('a', NOW + 20), ask('b', NOW + 20)],
      [undefined, undefined, '40', undefined],
    )
    assert.deepEqual([ask('a', NOW + 59), ask('a', NOW + 60)], ['1', undefined])
  })

  test('allows 60,000 requests a minute by default', () => {
    const limit = limitRate()
    for (let asked = 0; asked < 60_000; asked++) limit('a', NOW)
    assert.equal(
      retryAfter(() => limit('a', NOW + 1)),
      '59',
    )
  })

  test('starts a new window when the clock is set back', () => {
    const limit = limitRate(1)
    limit('a', NOW)
    assert.equal(
      retryAfter(() => limit('a', NOW - 3600)),
      undefined,
    )
  })

  test('0 means no limit', () => {
    const limit = limitRate(0)
    for (let index = 0; index < 1000; index++) limit('a', NOW)
  })

  test('remembers at most 10,000 callers', () => {
    const limit = limitRate(1)
    limit('a', NOW)
    for (let index = 0; index < 10_000; index++) limit(`other ${index}`, NOW)
    limit('a', NOW)
  })
})
