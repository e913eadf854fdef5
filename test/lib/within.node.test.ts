import assert from 'node:assert/strict'
import { getActiveResourcesInfo } from 'node:process'
import { describe, test } from '#test'
import { within } from '../../src/lib/within.ts'

const timers = () => getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

describe('within', () => {
  test('clears the timer if the operation settles first', async () => {
    const before = timers()
    assert.equal(await within(3600, Promise.resolve(1), 'too late'), 1)
    await assert.rejects(within(3600, Promise.reject(new Error('failed')), 'too late'), /failed/)
    assert.equal(timers(), before)
  })

  test('rejects if the operation does not settle', async () => {
    await assert.rejects(within(0.01, new Promise(() => undefined), 'too late'), /^Error: too late$/)
  })
})
