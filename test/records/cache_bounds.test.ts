import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Client } from '../../src/types.ts'
import { FRESH_SECONDS, setUpCache } from '../support/cache.ts'

const client: Client = { client_id: 'c' }

describe('cacheRecords: bounds of memory', () => {
  const MAX = 20_000

  test('keeps the 10,000 most recently used records, and at most 20,000', async () => {
    const { state, find } = setUpCache()
    state.held = client
    const fill = async (count: number, from = 0) => {
      for (let index = from; index < count; index++) await find(`id-${index}`)
    }
    await find('c')
    await fill(MAX / 2 - 1)
    await find('c')
    assert.equal(state.reads, MAX / 2)
    await fill(MAX + MAX / 2, MAX / 2 - 1)
    const { reads } = state
    await find('id-0')
    assert.equal(state.reads, reads + 1)
  })

  test('keeps the 10,000 most recent misses, and at most 20,000', async () => {
    const { state, find } = setUpCache()
    await find('c')
    for (let index = 0; index < MAX / 2 - 1; index++) await find(`id-${index}`)
    await find('c')
    assert.equal(state.reads, MAX / 2)
    for (let index = 0; index < MAX; index++) await find(`more-${index}`)
    const { reads } = state
    await find('id-0')
    assert.equal(state.reads, reads + 1)
  })

  test('keeps the 10,000 most recent failures, and at most 20,000', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    state.now += FRESH_SECONDS
    await find('c')
    const fail = async (name: string, count: number) => {
      for (let index = 0; index < count; index++) await assert.rejects(find(`${name}-${index}`))
    }
    await fail('id', MAX / 2 - 1)
    let { reads } = state
    await find('c')
    assert.equal(state.reads, reads, 'it was asked just now')
    await fail('more', MAX)
    reads = state.reads
    await find('c')
    assert.equal(state.reads, reads + 1)
  })
})
