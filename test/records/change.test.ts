import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import type { Reason } from '../../src/reasons.ts'
import { changeRecord, observeWrites, removeRecord } from '../../src/records/change.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { guarded, NOW } from '../support/world.ts'

const open = () => memoryStores(() => NOW).registry
const down = () => Promise.reject(new Error('down'))
const isReason = (reason: Reason) => (error: unknown) => error instanceof OAuthError && error.reason === reason

/** A registry in which another writer is faster for the first `times` reads. */
function contested(times: number): Registry {
  const registry = open()
  let reads = 0
  const get = async (key: string) => {
    const held = await registry.get(key)
    if (reads++ < times) await registry.put(key, `other-${reads}`)
    return held
  }
  return { ...registry, get }
}

describe('changeRecord', () => {
  test('writes what is decided of what is stored, and returns it', async () => {
    const registry = open()
    const append = async (held = 'none') => ({ text: `${held}+`, result: held })
    assert.deepEqual(await changeRecord(registry, 'k', append), { text: 'none+', result: 'none' })
    assert.deepEqual(await changeRecord(registry, 'k', append), { text: 'none++', result: 'none+' })
    assert.equal(await registry.get('k'), 'none++')
  })

  test('writes nothing where the decision is to throw', async () => {
    const registry = open()
    const refuse = () => Promise.reject(new RangeError('no'))
    await assert.rejects(changeRecord(registry, 'k', refuse), RangeError)
    assert.equal(await registry.get('k'), undefined)
  })

  test('decides again of what another writer stored in between', async () => {
    const registry = contested(4)
    const decided: unknown[] = []
    const { text: stored, result } = await changeRecord(registry, 'k', async (held) => {
      decided.push(held)
      return { text: `mine over ${held}`, result: held }
    })
    assert.equal(result, 'other-4')
    assert.deepEqual(decided, [undefined, 'other-1', 'other-2', 'other-3', 'other-4'])
    assert.equal(stored, 'mine over other-4')
    assert.equal(await registry.get('k'), stored)
  })

  test('gives up after five attempts', async () => {
    const registry = contested(5)
    await assert.rejects(
      changeRecord(registry, 'k', async () => ({ text: 'mine', result: 1 })),
      (error) => {
        assert.ok(error instanceof OAuthError)
        assert.deepEqual([error.status, error.code, error.reason], [409, 'conflict', 'record_contended'])
        return true
      },
    )
    assert.equal(await registry.get('k'), 'other-5')
  })

  test('writes the fifth decision where its result allows it, over what another writer stored', async () => {
    for (const [times, asked] of [
      [5, ['mine over other-4']],
      [4, []],
    ] as const) {
      const registry = contested(times)
      const results: string[] = []
      const decide = async (held: string | undefined) => ({ text: 'mine', result: `mine over ${held}` })
      const changed = await changeRecord(registry, 'k', decide, (result) => results.push(result) > 0)
      assert.deepEqual(changed, { text: 'mine', result: 'mine over other-4' })
      assert.equal(await registry.get('k'), 'mine')
      assert.deepEqual(results, asked)
    }
  })

  const MAX = 46 * 1024
  for (const [name, text, isTaken] of [
    ['46 KiB', 'x'.repeat(MAX), true],
    ['an octet more', 'x'.repeat(MAX + 1), false],
    ['46 KiB of two octets a character', 'é'.repeat(MAX / 2), true],
    ['an octet more, of two octets a character', `${'é'.repeat(MAX / 2)}x`, false],
    ['46 KiB of four octets a character', '\u{1f511}'.repeat(MAX / 4), true],
    ['an octet more, of four octets a character', `${'\u{1f511}'.repeat(MAX / 4)}x`, false],
  ] as const) {
    test(`${isTaken ? 'takes' : 'refuses'} a record of ${name}`, async () => {
      const registry = open()
      const change = changeRecord(registry, 'k', async () => ({ text, result: 1 }))
      if (isTaken) await change
      else await assert.rejects(change, isReason('record_too_large'))
      assert.equal(await registry.get('k'), isTaken ? text : undefined)
    })
  }

  for (const name of ['get', 'replace'] as const) {
    test(`a ${name} that fails is a failure of the store`, async () => {
      const { registry } = guarded({ registry: { ...open(), [name]: down } })
      await assert.rejects(
        changeRecord(registry, 'k', async () => ({ text: 'x', result: 1 })),
        isReason('store_failed'),
      )
    })
  }
})

describe('removeRecord', () => {
  test('removes what was read, and not what was written since', async () => {
    const registry = open()
    await registry.put('k', '2')
    await assert.rejects(removeRecord(registry, 'k', '1'), isReason('record_changed'))
    assert.equal(await registry.get('k'), '2')
    await removeRecord(registry, 'k', '2')
    assert.equal(await registry.get('k'), undefined)
  })

  test('a failure is one of the store', async () => {
    const { registry } = guarded({ registry: { ...open(), remove: down } })
    await assert.rejects(removeRecord(registry, 'k', '1'), isReason('store_failed'))
  })
})

describe('observeWrites', () => {
  const writes = {
    put: (registry: Registry) => registry.put('k', '1'),
    delete: (registry: Registry) => registry.delete('k'),
    replace: async (registry: Registry) => registry.replace?.('k', 'other', '1'),
    remove: async (registry: Registry) => registry.remove?.('k', 'other'),
  }
  const answers = { put: 2, delete: 1, replace: 3, remove: 2 }
  for (const [name, write] of Object.entries(writes)) {
    test(`reports the key of a ${name} once it has ended, made or not`, async () => {
      const reported: string[] = []
      const { promise: end, resolve: endWrite } = Promise.withResolvers<void>()
      const slow = async (...values: unknown[]) => {
        await end
        return values.length
      }
      const observed = observeWrites({ ...open(), [name]: slow } as Registry, (key) => reported.push(key))
      const written = write(observed)
      await Promise.resolve()
      assert.equal(reported.length, 0)
      endWrite()
      assert.equal(await written, answers[name as keyof typeof answers])
      assert.equal(reported.join(), 'k')
      await assert.rejects(write(observeWrites({ ...open(), [name]: down }, (key) => reported.push(key))), /down/)
      assert.equal(reported.join(), 'k,k')
    })
  }

  test('reads report nothing', async () => {
    const reported: string[] = []
    const registry = open()
    await registry.put('a:1', 'x')
    const observed = observeWrites(registry, (key) => reported.push(key))
    assert.equal(await observed.get('a:1'), 'x')
    assert.deepEqual(await observed.list('a:', { limit: 2 }), { keys: ['a:1'] })
    assert.deepEqual(reported, [])
  })
})
