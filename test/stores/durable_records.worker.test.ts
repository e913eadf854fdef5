import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Ledger } from '../../src/stores/durable_object.ts'
import { type DurableRecords, durableRecords } from '../../src/stores/durable_records.ts'
import type { KvNamespace, RecordNamespace } from '../../src/stores/kv.ts'
import { NOW } from '../support/world.ts'

const DAY_SECONDS = 86_400
const namespace = env['LEDGER'] as RecordNamespace
const kv = env['CLIENTS'] as KvNamespace
let objects = 0

interface Opened {
  readonly records: DurableRecords
  readonly state: { now: number }
  keys(): unknown[]
}

/** Runs `use` with the records of a new object, which writes to the KV that `given` returns. */
function withRecords(given: Partial<KvNamespace>, use: (opened: Opened) => Promise<void>): Promise<void> {
  const stub = namespace.get(namespace.idFromName(`records-${objects++}`))
  return runInDurableObject(stub, async (_, { storage }) => {
    const state = { now: NOW }
    const namespaceOfTest: KvNamespace = {
      get: (key) => kv.get(key),
      put: (key, value) => kv.put(key, value),
      delete: (key) => kv.delete(key),
      list: (options) => kv.list(options),
      ...given,
    }
    // The alarm would use the real KV and the real clock.
    const alarms = { getAlarm: async () => null, setAlarm: async () => undefined }
    const records = durableRecords({ sql: storage.sql, ...alarms }, namespaceOfTest, () => state.now)
    const keys = () =>
      storage.sql
        .exec('SELECT key FROM records ORDER BY key')
        .toArray()
        .map(({ key }) => key)
    await use({ records, state, keys })
  })
}

describe('durableRecords', () => {
  test('exactly one of many concurrent first writes of a key wins while KV is read', async () => {
    const get = async (): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return 'earlier'
    }
    await withRecords({ get }, async ({ records }) => {
      const tries = Array.from({ length: 20 }, (_, index) => records.replace('client:first', 'earlier', `${index}`))
      const won = (await Promise.all(tries)).flatMap((isWritten, index) => (isWritten ? [`${index}`] : []))
      assert.equal(won.length, 1)
      assert.equal(await records.get('client:first'), won[0])
      assert.equal(await kv.get('client:first'), won[0])
    })
  })

  test('remembers a deleted record for a day, whatever KV returns', async () => {
    await withRecords({ get: async () => 'stale' }, async ({ records, state, keys }) => {
      await records.put('client:gone', '1')
      await records.put('client:gone', undefined)
      await records.put('client:stays', '1')
      assert.equal(await records.settle(), DAY_SECONDS)
      state.now = NOW + DAY_SECONDS - 1
      await records.settle()
      assert.equal(await records.get('client:gone'), undefined)
      assert.equal(await records.replace('client:gone', 'stale', '2'), false)
      state.now = NOW + DAY_SECONDS
      assert.equal(await records.settle(), undefined)
      assert.deepEqual(keys(), ['client:stays'])
    })
  })

  test('remembers a deleted record that KV still has, and retries at growing intervals', async () => {
    let fails = true
    const remove = async (key: string): Promise<void> => {
      if (fails) throw new Error('KV is down')
      await kv.delete(key)
    }
    await withRecords({ delete: remove }, async ({ records, state, keys }) => {
      await records.put('client:kept', '1')
      await assert.rejects(records.put('client:kept', undefined), /KV is down/)
      assert.equal(await records.get('client:kept'), undefined)
      for (const [age, seconds] of [
        [30, 30],
        [2 * DAY_SECONDS, 60],
      ] as const) {
        state.now = NOW + age
        assert.equal(await records.settle(), seconds)
      }
      assert.deepEqual(keys(), ['client:kept'])
      assert.equal(await kv.get('client:kept'), '1')
      fails = false
      await records.settle()
      assert.equal(await kv.get('client:kept'), null)
      await records.settle()
      assert.deepEqual(keys(), [])
    })
  })
})

describe('the alarm of an object that holds records', () => {
  const stub = namespace.get(namespace.idFromName('records-alarm'))
  const key = 'client:alarmed'
  const alarmAt = () => runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
  const put = (value: string | undefined) =>
    runInDurableObject(stub, async (ledger, { storage }) => {
      await (ledger as Ledger).putRecord(key, value)
      return storage.getAlarm()
    })

  test('writes to KV what it lacks, and is not set again when nothing is left', async () => {
    await put('1')
    await runInDurableObject(stub, async (_, { storage }) => {
      storage.sql.exec("UPDATE records SET value = '2', version = version + 1")
      await storage.setAlarm(Date.now() + 60_000)
    })
    assert.equal(await runDurableObjectAlarm(stub), true)
    assert.equal(await kv.get(key), '2')
    assert.equal(await alarmAt(), null)
  })

  test('is moved forward by a write, in case the object ends before KV is written', async () => {
    await put(undefined)
    await runDurableObjectAlarm(stub)
    const sweepAt = (await alarmAt()) ?? 0
    assert.ok(sweepAt > Date.now() + (DAY_SECONDS / 2) * 1000)
    const checkAt = await put('3')
    assert.ok(checkAt !== null && checkAt <= Date.now() + 2000)
  })
})
