import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Ledger } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

/** A world whose ledger answers while `state.isUp`, and counts how often it is asked. */
async function worldWith(state: { isUp: boolean; asked: number; now: number }) {
  const { ledger } = memoryStores(() => state.now)
  const counting: Ledger = {
    ...ledger,
    get: async (key) => {
      state.asked++
      if (!state.isUp) throw new Error('no route to the store')
      return ledger.get(key)
    },
  }
  const { app, events } = await createWorld({ ledger: counting, now: () => state.now })
  const ask = async (path: string) => {
    const response = await app.request(ISSUER + path)
    assert.equal(response.headers.get('Cache-Control'), 'no-store')
    return [response.status, await response.text()]
  }
  return { ask, events }
}

describe('health', () => {
  test('is alive without a store, and ready when a key signs and the ledger answers', async () => {
    const state = { isUp: true, asked: 0, now: NOW }
    const { ask, events } = await worldWith(state)
    assert.deepEqual(await ask('/livez'), [200, 'ok\n'])
    assert.equal(state.asked, 0)
    for (const path of ['/readyz', '/health']) assert.deepEqual(await ask(path), [200, 'ok\n'])
    assert.deepEqual(await ask('/readyz?verbose'), [200, '[+]signing_key ok\n[+]ledger ok\nok\n'])
    assert.deepEqual(events, [])
  })

  test('is alive but not ready while the ledger fails, and asks it at most every five seconds', async () => {
    const state = { isUp: false, asked: 0, now: NOW }
    const { ask, events } = await worldWith(state)
    const all = await Promise.all([1, 2, 3].map(() => ask('/readyz')))
    assert.deepEqual(
      all,
      [1, 2, 3].map(() => [503, 'failed\n']),
    )
    assert.deepEqual(await ask('/health?verbose'), [503, '[+]signing_key ok\n[-]ledger failed\nfailed\n'])
    assert.deepEqual(await ask('/livez'), [200, 'ok\n'])
    state.isUp = true
    state.now = NOW + 4
    assert.deepEqual(await ask('/readyz'), [503, 'failed\n'])
    assert.equal(state.asked, 1)
    state.now = NOW + 5
    assert.deepEqual(await ask('/readyz'), [200, 'ok\n'])
    assert.equal(state.asked, 2)
    assert.deepEqual(events, [])
  })

  test('stays ready while only the registry fails', async () => {
    const down = () => Promise.reject(new Error('no route to the store'))
    const registry = { ...memoryStores(() => NOW).registry, get: down, list: down }
    const { app } = await createWorld({ registry })
    assert.equal((await app.request(`${ISSUER}/readyz`)).status, 200)
  })

  test('is not ready before a key signs', async () => {
    const { app } = await createWorld({ keyring: { ...(await silentKeyring()) } })
    assert.equal((await app.request(`${ISSUER}/readyz`)).status, 503)
  })
})

async function silentKeyring() {
  const { generateKeyring } = await import('../../src/keys/keyring.ts')
  const keyring = await generateKeyring()
  return { ...keyring, at: (now: number) => ({ ...keyring.at(now), signing: () => undefined }) }
}
