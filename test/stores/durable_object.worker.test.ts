import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { type DurableObjectState, env } from 'cloudflare:workers'
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

  test('a shard lists a family in pages, each starting after the last key of the previous one', async () => {
    const shard = namespace.get(namespace.idFromName('pages'))
    const keys = Array.from({ length: 1001 }, (_, index) => `many:${String(index).padStart(4, '0')}`)
    await Promise.all(keys.map((key) => shard.raise(key, 1, 2, 1)))
    const first = await shard.list('many', 'many:', 1)
    const second = await shard.list('many', first.at(-1)?.key ?? '', 1)
    assert.deepEqual(
      [...first, ...second].map(({ key }) => key),
      keys,
    )
    assert.deepEqual([first.length, second.length], [1000, 1])
  })

  for (const [key, name] of [
    ['', 'ledger-5'],
    ['a', 'ledger-12'],
    ['foobar', 'ledger-8'],
    ['\u00e9', 'ledger-4'],
  ] as const) {
    test(`the key "${key}" belongs to ${name}; in another shard its mark would be lost`, async () => {
      const names: string[] = []
      const naming: LedgerNamespace = {
        idFromName(each) {
          names.push(each)
          return namespace.idFromName(each)
        },
        get: (id) => namespace.get(id),
      }
      await durableLedger(naming, () => 0).get(key)
      assert.deepEqual(names, [name])
    })
  }
})

describe('the alarm of a shard', () => {
  let shards = 0
  /** A shard for this test only, with the clock of this machine. */
  const setUp = () => {
    const shard = namespace.get(namespace.idFromName(`alarm-${shards++}`))
    const now = Math.floor(Date.now() / 1000)
    const inside = <T>(look: (storage: DurableObjectState['storage']) => T | Promise<T>) =>
      runInDurableObject(shard, (_, { storage }) => look(storage))
    const rows = () =>
      inside(({ sql }) =>
        sql
          .exec('SELECT key FROM ledger ORDER BY key')
          .toArray()
          .map(({ key }) => key),
      )
    /** Seconds until the next alarm, rounded up to tens to allow for a slow machine. */
    const alarmIn = () =>
      inside(async (storage) => {
        const alarm = await storage.getAlarm()
        return alarm === null ? undefined : Math.ceil((alarm - Date.now()) / 10_000) * 10
      })
    return { shard, now, inside, rows, alarmIn }
  }

  test('removes only marks that expired five minutes ago, and is set again while marks are left', async () => {
    const { shard, now, rows, alarmIn } = setUp()
    await shard.add('old', '', now - 301, now - 400)
    await shard.add('late', '', now - 290, now - 400)
    await shard.add('live', '', now + 3600, now)
    assert.deepEqual(await rows(), ['late', 'live', 'old'])
    assert.equal(await runDurableObjectAlarm(shard), true)
    assert.deepEqual(await rows(), ['late', 'live'])
    assert.equal(await alarmIn(), 60)
  })

  test('is set to five minutes after the expiry of a mark, a counter or a level, and not postponed by the next one', async () => {
    for (const write of ['add', 'count', 'raise'] as const) {
      const { shard, now, inside, alarmIn } = setUp()
      assert.equal(await alarmIn(), undefined)
      if (write === 'add') await shard.add('a', '', now + 60, now)
      else if (write === 'count') await shard.count('a', 60, now)
      else await shard.raise('a', 1, now + 60, now)
      assert.equal(await alarmIn(), 360, write)
      await inside((storage) => storage.setAlarm(Date.now() + 40_000))
      await shard.add('b', '', now + 60, now)
      await shard.count('c', 60, now)
      await shard.raise('d', 1, now + 60, now)
      assert.equal(await alarmIn(), 40, write)
    }
  })

  test('is brought forward by a mark that expires sooner, and is never less than a minute away', async () => {
    const { shard, now, alarmIn } = setUp()
    await shard.add('late', '', now + 3600, now)
    assert.equal(await alarmIn(), 3900)
    await shard.add('sooner', '', now + 60, now)
    assert.equal(await alarmIn(), 360)
    await shard.add('expired', '', now - 290, now - 400)
    assert.equal(await alarmIn(), 60)
  })

  test('is not set again when nothing is left', async () => {
    const { shard, now, rows, alarmIn } = setUp()
    await shard.add('old', '', now - 301, now - 400)
    assert.equal(await runDurableObjectAlarm(shard), true)
    assert.deepEqual([await rows(), await alarmIn()], [[], undefined])
  })

  test('removes a thousand rows at a time and runs again at once for the rest', async () => {
    const { shard, now, inside, rows } = setUp()
    await shard.add('live', '', now + 3600, now)
    await inside(({ sql }) => {
      for (let index = 0; index < 1001; index++) {
        sql.exec('INSERT INTO ledger VALUES (?, ?, ?)', `old-${index}`, '', now - 400)
      }
    })
    assert.equal(await runDurableObjectAlarm(shard), true)
    while ((await rows()).length > 1) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(await rows(), ['live'])
  })
})
