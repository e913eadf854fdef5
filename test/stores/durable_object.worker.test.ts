import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { durableLedger, type LedgerNamespace } from '../../src/stores/durable_object.ts'
import { ledgerContract } from './ledger_contract.ts'

const namespace = env['LEDGER'] as LedgerNamespace

describe('durableLedger', () => {
  ledgerContract((now) => durableLedger(namespace, now))

  test('spreads keys over many objects', async () => {
    const names = new Set<string>()
    const counting: LedgerNamespace = {
      idFromName(name) {
        names.add(name)
        return namespace.idFromName(name)
      },
      get: (id) => namespace.get(id),
    }
    const ledger = durableLedger(counting, () => 0)
    await Promise.all(Array.from({ length: 500 }, (_, index) => ledger.get(`jti:client:${index}`)))
    assert.equal(names.size, 32)
  })

  test('a shard lists a family in pages, each after the last key of the one before', async () => {
    const shard = namespace.get(namespace.idFromName('pages'))
    const keys = Array.from({ length: 1001 }, (_, index) => `many:${String(index).padStart(4, '0')}`)
    for (const key of keys) await shard.raise(key, 1, 2, 1)
    const first = await shard.list('many', 'many:', 1)
    const second = await shard.list('many', first.at(-1)?.key ?? '', 1)
    assert.deepEqual(
      [...first, ...second].map(({ key }) => key),
      keys,
    )
    assert.deepEqual([first.length, second.length], [1000, 1])
  })

  test('its alarm removes what expired and nothing else', async () => {
    const now = Math.floor(Date.now() / 1000)
    const shard = namespace.get(namespace.idFromName('sweep'))
    await shard.add('old', '', now - 301, now - 400)
    await shard.add('live', '', now + 3600, now)
    const rows = () =>
      runInDurableObject(shard, (_, { storage }) =>
        storage.sql
          .exec('SELECT key FROM ledger ORDER BY key')
          .toArray()
          .map(({ key }) => key),
      )
    assert.deepEqual(await rows(), ['live', 'old'])
    assert.equal(await runDurableObjectAlarm(shard), true)
    assert.deepEqual(await rows(), ['live'])
    assert.equal(await runDurableObjectAlarm(shard), true, 'the next alarm is set while a mark is left')
  })
})
