import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { STALE_SECONDS } from '../../src/records/cache.ts'
import type { Client } from '../../src/types.ts'
import { FRESH_SECONDS, setUpCache } from '../support/cache.ts'
import { NOW } from '../support/world.ts'

const client: Client = { client_id: 'c' }
/** A promise that the test settles. */
const gate = () => Promise.withResolvers<void>()
const other = { ...client, disabled: true }

describe('cacheRecords and writes', () => {
  test('a read that began before a write is neither shared with later callers nor kept', async () => {
    const { state, find, forget } = setUpCache()
    const slow = gate()
    state.held = client
    state.delay = slow.promise
    const before = find('c')
    forget('c')
    state.held = other
    state.delay = Promise.resolve()
    assert.equal(await find('c'), other)
    slow.resolve()
    assert.equal(await before, client)
    assert.equal(await find('c'), other)
    assert.equal(state.reads, 2)
  })

  test('a read that found nothing before a write is not kept', async () => {
    const { state, find, forget } = setUpCache()
    const slow = gate()
    state.delay = slow.promise
    const before = find('c')
    forget('c')
    state.held = client
    slow.resolve()
    assert.equal(await before, undefined)
    assert.equal(await find('c'), client)
  })

  test('a written record is not served stale', async () => {
    const { state, find, forget } = setUpCache()
    state.held = client
    await find('c')
    forget('c')
    state.fails = true
    await assert.rejects(find('c'), /down/)
  })

  test('a record that was deleted is not served stale', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.held = undefined
    state.now += FRESH_SECONDS
    assert.equal(await find('c'), undefined)
    state.fails = true
    state.now += FRESH_SECONDS
    await assert.rejects(find('c'), /down/)
  })
})

describe('cacheRecords: edges of time', () => {
  const refreshes: readonly [freshSeconds: number, after: number, reads: number][] = [
    [30, 1, 1],
    [30, 2, 2],
    [1, 0, 1],
    [1, 1, 2],
    [0, 0, 2],
  ]
  for (const [freshSeconds, after, reads] of refreshes) {
    test(`a refresh ${after} s after a read, fresh for ${freshSeconds} s: ${reads} reads`, async () => {
      const { state, find } = setUpCache(freshSeconds)
      state.held = client
      await find('c')
      state.now += after
      await find('c', { refresh: true })
      assert.equal(state.reads, reads)
    })
  }

  const unknowns: readonly [freshSeconds: number, after: number, reads: number][] = [
    [30, 4, 1],
    [30, 5, 2],
    [3, 2, 1],
    [3, 3, 2],
    [0, 0, 2],
    [30, -1, 2],
  ]
  for (const [freshSeconds, after, reads] of unknowns) {
    test(`asked ${after} s after nothing was found, fresh for ${freshSeconds} s: ${reads} reads`, async () => {
      const { state, find } = setUpCache(freshSeconds)
      await find('c')
      state.now += after
      await find('c')
      assert.equal(state.reads, reads)
    })
  }

  test('a refresh does not read a cached miss again', async () => {
    const { state, find } = setUpCache()
    await find('c')
    state.now += 4
    await find('c', { refresh: true })
    assert.equal(state.reads, 1)
  })

  test('a miss counts from the beginning of the read', async () => {
    const { state, find } = setUpCache()
    const slow = gate()
    state.delay = slow.promise
    const reading = find('c')
    state.now += 4
    slow.resolve()
    await reading
    state.now += 1
    await find('c')
    assert.equal(state.reads, 2)
  })

  test('a record is served for five minutes beyond its freshness', () => assert.equal(STALE_SECONDS, 300))

  for (const freshSeconds of [0, 1, 30]) {
    test(`fresh for ${freshSeconds} s: served stale until ${STALE_SECONDS} s later`, async () => {
      const { state, events, find } = setUpCache(freshSeconds)
      state.held = client
      await find('c')
      state.fails = true
      for (const age_seconds of [freshSeconds, freshSeconds + STALE_SECONDS - 1]) {
        state.now = NOW + age_seconds
        assert.equal(await find('c'), client)
        const cause = 'Error: down; Error: no route'
        assert.deepEqual(events.at(-1), { event: 'record_served_stale', key: 'client:c', age_seconds, cause })
      }
      state.now = NOW + freshSeconds + STALE_SECONDS
      await assert.rejects(find('c'), /down/)
    })
  }

  test('the two seconds without reads count from the first failure', async () => {
    const { state, events, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    for (const [after, reads] of [
      [0, 2],
      [1, 2],
      [2, 3],
      [3, 3],
      [4, 4],
    ] as const) {
      state.now = NOW + FRESH_SECONDS + after
      assert.equal(await find('c'), client)
      assert.equal(state.reads, reads, `${after} s after the first failure`)
      const [cause] = events.slice(-1).map((event) => 'cause' in event && event.cause)
      assert.equal(cause, after % 2 === 0 ? 'Error: down; Error: no route' : 'Error: it failed just now')
    }
  })

  test('a failing store is not read again until the last second in which a record can be served stale', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    state.now = NOW + FRESH_SECONDS + STALE_SECONDS - 1
    for (let index = 0; index < 3; index++) assert.equal(await find('c'), client)
    assert.equal(state.reads, 2)
  })

  test('a record that is too stale to serve is read at each call, even right after a failure', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await find('c')
    state.fails = true
    state.now = NOW + FRESH_SECONDS + STALE_SECONDS
    for (let index = 0; index < 3; index++) await assert.rejects(find('c'), /down/)
    assert.equal(state.reads, 4)
    state.fails = false
    assert.equal(await find('c'), client)
  })

  test('a failure is forgotten after a success', async () => {
    const { state, events, find } = setUpCache(1)
    state.fails = true
    await assert.rejects(find('c'))
    state.fails = false
    state.held = client
    assert.equal(await find('c'), client)
    state.held = other
    state.now = NOW + 1
    assert.equal(await find('c'), other)
    assert.deepEqual(events, [])
  })

  test('a failure of one record does not affect others', async () => {
    const { state, find } = setUpCache()
    state.held = client
    await Promise.all([find('c'), find('d')])
    state.now += FRESH_SECONDS
    state.fails = true
    await find('c')
    state.fails = false
    state.held = other
    assert.equal(await find('d'), other)
  })

  test('a clock that is set back does not extend a failure', async () => {
    const { state, find } = setUpCache(0)
    state.held = client
    await find('c')
    state.fails = true
    await find('c')
    state.fails = false
    state.now = NOW - 1
    await find('c')
    assert.equal(state.reads, 3)
  })

  test('callers wait three seconds for a read that another caller began; then the store has failed', async () => {
    const { state, find } = setUpCache()
    const delays: unknown[] = []
    const { setTimeout } = globalThis
    globalThis.setTimeout = ((run: () => void, milliseconds: number) => {
      delays.push(milliseconds)
      return setTimeout(run, 0)
    }) as typeof setTimeout
    try {
      state.delay = new Promise(() => undefined)
      void find('c')
      await assert.rejects(find('c'), (error) => {
        assert.ok(error instanceof OAuthError)
        assert.deepEqual([error.status, error.code, error.reason], [503, 'temporarily_unavailable', 'store_failed'])
        assert.match(String(error.cause), /no answer within 3 s/)
        return true
      })
    } finally {
      globalThis.setTimeout = setTimeout
    }
    assert.deepEqual(delays, [3000])
  })
})
