import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'
import { freshnessContract } from './freshness_contract.ts'
import { ledgerContract } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

describe('memoryStores', () => {
  registryContract(() => memoryStores(() => NOW).registry)
  freshnessContract(() => memoryStores(() => NOW).registry)
  // All handles on the same data are one store here, with the clock of the last `open`.
  let now = () => NOW
  const { ledger } = memoryStores(() => now())
  ledgerContract((clock) => {
    now = clock
    return ledger
  })

  test('refuses new entries when full, and keeps the existing ones', async () => {
    const { registry } = memoryStores(() => NOW, 2)
    await registry.put('a', '1')
    await registry.put('b', '1')
    await assert.rejects(registry.put('c', '1'), /full: 2 entries/)
    await registry.put('a', '2')
    assert.equal(await registry.get('a'), '2')
  })

  test('drops expired marks to make room, but no others', async () => {
    let time = NOW
    const small = memoryStores(() => time, 2).ledger
    await small.add('a', '', NOW + 1)
    await small.add('b', '', NOW + 2)
    await assert.rejects(small.add('c', '', NOW + 9), /full/)
    time = NOW + 1
    assert.equal(await small.add('c', '', NOW + 9), true)
    assert.equal(await small.add('b', '', NOW + 9), false)
  })

  test('put and replace refuse a new entry when full, but still replace existing ones', async () => {
    const { registry } = memoryStores(() => NOW, 2)
    const { replace } = registry
    assert.ok(replace !== undefined)
    assert.equal(await replace('a', undefined, '1'), true)
    assert.equal(await replace('b', undefined, '1'), true)
    await assert.rejects(replace('c', undefined, '1'), /full: 2 entries/)
    assert.equal(await registry.get('c'), undefined)
    assert.equal(await replace('a', '1', '2'), true)
    await registry.put('b', '2')
    assert.equal(await registry.remove?.('a', '2'), true)
    assert.equal(await replace('c', undefined, '1'), true)
    await registry.delete('b')
    await registry.put('d', '1')
    assert.deepEqual((await registry.list('', { limit: 9 })).keys, ['c', 'd'])
  })

  test('counts in an open window when full', async () => {
    const small = memoryStores(() => NOW, 1).ledger
    assert.equal(await small.count('a', 10), 1)
    assert.equal(await small.count('a', 10), 2)
    await assert.rejects(small.count('b', 10), /full: 1 entries/)
  })

  test('replaces an expired mark when full', async () => {
    let time = NOW
    const small = memoryStores(() => time, 1).ledger
    await small.add('a', '', NOW + 1)
    time = NOW + 1
    assert.equal(await small.add('a', '', NOW + 9), true)
    await assert.rejects(small.add('b', '', NOW + 9), /full/)
  })

  test('holds 100,000 entries', async () => {
    const { registry, ledger: marks } = memoryStores(() => NOW)
    for (let index = 0; index < 100_000; index++) {
      await registry.put(`k${index}`, '')
      await marks.add(`k${index}`, '', NOW + 9)
    }
    await assert.rejects(registry.put('more', ''), /full: 100000 entries/)
    await assert.rejects(marks.add('more', '', NOW + 9), /full: 100000 entries/)
  })
})
