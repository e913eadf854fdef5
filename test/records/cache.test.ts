import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { STALE_SECONDS } from '../../src/records/cache.ts'
import type { Client } from '../../src/types.ts'
import { FRESH_SECONDS, setUpCache } from '../support/cache.ts'
import { NOW } from '../support/world.ts'

const client: Client = { client_id: 'c' }

describe('cacheRecords', () => {
  test('reads a client once while it is fresh, and again one second later', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.now = NOW + FRESH_SECONDS - 1
    assert.equal(await find('c'), client)
    assert.equal(state.reads, 1)
    state.now = NOW + FRESH_SECONDS
    await find('c')
    assert.equal(state.reads, 2)
  })

  test('a client that is disabled or deleted works until its freshness ends, not a second longer', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = { ...client, disabled: true }
    state.now = NOW + FRESH_SECONDS - 1
    assert.equal((await find('c'))?.disabled, undefined)
    state.now = NOW + FRESH_SECONDS
    assert.equal((await find('c'))?.disabled, true)
    state.held = undefined
    state.now = NOW + 2 * FRESH_SECONDS
    assert.equal(await find('c'), undefined)
    state.now++
    assert.equal(await find('c'), undefined, 'nor does what was held before come back')
  })

  test('a refresh reads again, at most every two seconds', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    await find('c', { refresh: true })
    assert.equal(state.reads, 1)
    state.now = NOW + 2
    await Promise.all([find('c', { refresh: true }), find('c', { refresh: true })])
    assert.equal(state.reads, 2)
    await find('c')
    assert.equal(state.reads, 2)
  })

  test('where reads may be late, a refresh reads the latest even right after another read, and then not for two seconds', async () => {
    const { state, find } = setUpCache(undefined, true)
    state.held = client
    await find('c')
    await find('c', { refresh: true })
    assert.equal(state.reads, 2)
    await find('c', { refresh: true })
    assert.equal(state.reads, 2)
  })

  test('a write drops a cached record and a cached miss', async () => {
    const { state, find, forget } = setUpCache()
    assert.equal(await find('c'), undefined)
    state.held = client
    assert.equal(await find('c'), undefined)
    forget('c')
    assert.equal(await find('c'), client)
    state.held = { ...client, disabled: true }
    forget('c')
    assert.equal((await find('c'))?.disabled, true)
  })

  test('a read that was under way during a write is not cached', async () => {
    const { state, find, forget } = setUpCache()
    state.held = client
    const before = find('c')
    state.held = { ...client, disabled: true }
    forget('c')
    await before
    assert.equal((await find('c'))?.disabled, true)
  })

  test('a clock that is set back extends nothing', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = { ...client, disabled: true }
    state.now = NOW - 3600
    assert.equal((await find('c'))?.disabled, true)
  })

  test('after a failure, a record that can be served stale is not read again for two seconds', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    state.now = NOW + FRESH_SECONDS
    for (let index = 0; index < 5; index++) assert.equal(await find('c'), client)
    assert.equal(state.reads, 2)
    state.now += 2
    state.fails = false
    assert.equal(await find('c'), client)
    assert.equal(state.reads, 3)
  })

  test('freshness counts from the beginning of the read', async () => {
    const { state, find } = setUpCache()
    state.held = client
    const reading = find('c')
    state.now = NOW + 20
    await reading
    state.now = NOW + FRESH_SECONDS
    await find('c')
    assert.equal(state.reads, 2)
  })

  test('concurrent misses of one client share one read', async () => {
    const { state, find } = setUpCache()
    state.held = client
    const found = await Promise.all(Array.from({ length: 100 }, () => find('c')))
    assert.ok(found.every((each) => each === client))
    assert.equal(state.reads, 1)
  })

  test('caches a miss for five seconds', async () => {
    const { state, find } = setUpCache()
    await find('c')
    state.held = client
    state.now = NOW + 4
    assert.equal(await find('c'), undefined)
    assert.equal(state.reads, 1)
    state.now = NOW + 5
    assert.equal(await find('c'), client)
  })

  test('unknown names do not evict records', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = undefined
    for (let index = 0; index < 20_000; index++) await find(`unknown-${index}`)
    assert.equal(await find('c'), client)
    await find('unknown-0')
    assert.equal(state.reads, 20_002, 'the memory of unknown names is bounded')
  })

  test('serves a cached record while the registry fails, emits an event, and stops at the limit', async () => {
    const { state, events, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    state.now = NOW + FRESH_SECONDS
    assert.equal(await find('c'), client)
    const cause = 'Error: down; Error: no route'
    assert.deepEqual(events, [{ event: 'record_served_stale', key: 'client:c', age_seconds: FRESH_SECONDS, cause }])
    state.now = NOW + FRESH_SECONDS + STALE_SECONDS - 1
    assert.equal(await find('c'), client)
    state.now = NOW + FRESH_SECONDS + STALE_SECONDS
    await assert.rejects(find('c'), /down/)
    await assert.rejects(find('other'), /down/)
    state.fails = false
    assert.equal(await find('c'), client)
  })

  test('a failure is not cached when there is no record to serve', async () => {
    const { state, find } = setUpCache()
    state.fails = true
    await assert.rejects(find('c'))
    state.fails = false
    state.held = client
    assert.equal(await find('c'), client)
  })

  test('with a freshness of 0, reads each time', async () => {
    const { state, find } = setUpCache(0)
    await find('c')
    state.held = client
    assert.equal(await find('c'), client)
    state.held = { ...client, disabled: true }
    assert.equal((await find('c'))?.disabled, true)
    assert.equal(state.reads, 3)
  })
})
