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
  // Several handles on the same data are one handle here; its clock is that of the test that opened last.
  let now = () => NOW
  const { ledger } = memoryStores(() => now())
  ledgerContract((clock) => {
    now = clock
    return ledger
  })

  test('refuses what does not fit, and keeps what is there', async () => {
    const { registry } = memoryStores(() => NOW, 2)
    await registry.put('a', '1')
    await registry.put('b', '1')
    await assert.rejects(registry.put('c', '1'), /full: 2 entries/)
    await registry.put('a', '2')
    assert.equal(await registry.get('a'), '2')
  })

  test('makes room by marks that expired, never by one that stands', async () => {
    let time = NOW
    const small = memoryStores(() => time, 2).ledger
    await small.add('a', '', NOW + 1)
    await small.add('b', '', NOW + 2)
    await assert.rejects(small.add('c', '', NOW + 9), /full/)
    time = NOW + 1
    assert.equal(await small.add('c', '', NOW + 9), true)
    assert.equal(await small.add('b', '', NOW + 9), false)
  })
})
