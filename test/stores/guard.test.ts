import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Stores } from '../../src/stores/contracts.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'
import { ledgerContract, levelsOf } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

const never = () => new Promise<never>(() => undefined)
const neverEnding = async function* (): AsyncGenerator<never> {
  yield await never()
}

describe('guardStores', () => {
  registryContract(
    () =>
      guardStores(
        memoryStores(() => NOW),
        1,
      ).registry,
  )
  let now = () => NOW
  const { ledger } = guardStores(
    memoryStores(() => now()),
    1,
  )
  ledgerContract((clock) => {
    now = clock
    return ledger
  })

  test('rejects every operation that hangs', async () => {
    const hanging: Stores = {
      registry: { get: never, put: never, delete: never, list: never, replace: never, remove: never },
      ledger: { add: never, count: never, get: never, raise: never, list: neverEnding },
      close: async () => undefined,
    }
    const { registry, ledger } = guardStores(hanging, 0.01)
    const operations = [
      registry.get('a'),
      registry.put('a', ''),
      registry.delete('a'),
      registry.list('a', { limit: 1 }),
      registry.remove('a', ''),
      registry.replace('a', undefined, ''),
      ledger.add('a', '', NOW),
      ledger.count('a', 1),
      ledger.get('a'),
      ledger.raise('a:b', 1, NOW),
      levelsOf(ledger, 'a'),
    ]
    for (const operation of operations) await assert.rejects(operation, /did not answer within 0.01 s/)
  })

  test('closes the store', async () => {
    let closed = 0
    await guardStores({ ...memoryStores(() => NOW), close: async () => void closed++ }, 1).close()
    assert.equal(closed, 1)
  })

  test('keeps the lagSeconds of a registry', () => {
    const { registry, ...rest } = memoryStores(() => NOW)
    assert.equal(guardStores({ registry, ...rest }, 1).registry.lagSeconds, undefined)
    assert.equal(guardStores({ registry: { ...registry, lagSeconds: 60 }, ...rest }, 1).registry.lagSeconds, 60)
  })

  test('rejects with the error of the store', async () => {
    const cause = new Error('read-only disk')
    const { registry, ...rest } = memoryStores(() => NOW)
    const guarded = guardStores({ registry: { ...registry, put: () => Promise.reject(cause) }, ...rest }, 1)
    await assert.rejects(guarded.registry.put('a', ''), cause)
  })
})
