import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { STALE_SECONDS } from '../../src/records/cache.ts'
import type { Client } from '../../src/types.ts'
import { FRESH_SECONDS, setUpCache } from '../support/cache.ts'
import { NOW } from '../support/world.ts'

const client: Client = { client_id: 'c' }

describe('cacheRecords', () => {
  test('reads a client once while it is fresh, and again in the second after', async () => {
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

  test('a client disabled or deleted works for the freshness, not a second longer', async () => {
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

  test('a refresh reads anew, at most every two seconds', async () => {
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

  test('what was written here is read anew, a record and the lack of one', async () => {
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

  test('a read that was under way when somebody wrote is not kept', async () => {
    const { state, find, forget } = setUpCache()
    state.held = client
    const before = find('c')
    state.held = { ...client, disabled: true }
    forget('c')
    await before
    assert.equal((await find('c'))?.disabled, true)
  })

  test('a clock that is set back makes nothing last', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = { ...client, disabled: true }
    state.now = NOW - 3600
    assert.equal((await find('c'))?.disabled, true)
  })

  test('after a failure it is not asked again for two seconds, where there is something to serve', async () => {
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

  test('all who miss one client at once share one read', async () => {
    const { state, find } = setUpCache()
    state.held = client
    const found = await Promise.all(Array.from({ length: 100 }, () => find('c')))
    assert.ok(found.every((each) => each === client))
    assert.equal(state.reads, 1)
  })

  test('remembers for five seconds that there is no such client', async () => {
    const { state, find } = setUpCache()
    await find('c')
    state.held = client
    state.now = NOW + 4
    assert.equal(await find('c'), undefined)
    assert.equal(state.reads, 1)
    state.now = NOW + 5
    assert.equal(await find('c'), client)
  })

  test('names that nobody has do not push out those that somebody has', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = undefined
    for (let index = 0; index < 20_000; index++) await find(`unknown-${index}`)
    assert.equal(await find('c'), client)
    await find('unknown-0')
    assert.equal(state.reads, 20_002, 'the memory of unknown names is bounded')
  })

  test('serves what it has while the registry fails, says so, and stops at the stated time', async () => {
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

  test('a failure is not remembered', async () => {
    const { state, find } = setUpCache()
    state.fails = true
    await assert.rejects(find('c'))
    state.fails = false
    state.held = client
    assert.equal(await find('c'), client)
  })

  test('0 reads each time', async () => {
    const { state, find } = setUpCache(0)
    await find('c')
    state.held = client
    assert.equal(await find('c'), client)
    state.held = { ...client, disabled: true }
    assert.equal((await find('c'))?.disabled, true)
    assert.equal(state.reads, 3)
  })
})
