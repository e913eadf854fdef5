import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { CLIENTS } from '../../src/clients/registry.ts'
import { openRecords, type RecordsOptions } from '../../src/records/open.ts'
import { toRecord } from '../../src/records/records.ts'
import { resourcesOf } from '../../src/resources/registry.ts'
import { scopesOf } from '../../src/resources/scopes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const A = 'https://a.example'

/** Records of a registry that counts its calls, and fails on request. */
function open(more: Partial<RecordsOptions> = {}) {
  const clock = { now: NOW }
  const { registry } = memoryStores(() => clock.now)
  const [reads, lists]: [string[], string[]] = [[], []]
  let fails = false
  const asking = async <T>(asked: string[], key: string, work: () => Promise<T>): Promise<T> => {
    if (fails) throw new Error('down')
    asked.push(key)
    return work()
  }
  const counting: typeof registry = {
    ...registry,
    get: (key) => asking(reads, key, () => registry.get(key)),
    list: (prefix, options) => asking(lists, prefix, () => registry.list(prefix, options)),
  }
  const options = { freshSeconds: 30, emit: () => undefined, now: () => clock.now, ...more }
  const records = openRecords(counting, options)
  const parts = {
    registry: records.registry,
    findClient: records.find(CLIENTS),
    resources: resourcesOf(records),
    findScopes: records.keep('scopes', () => scopesOf(records)),
  }
  const fail = () => {
    fails = true
  }
  return { registry, records, parts, reads, lists, clock, fail }
}

describe('openRecords', () => {
  const ids = ['c', 'a:b', ':', 'client:c']
  test('a client is cached while it is fresh, and read again after it is written', async () => {
    const { registry, reads, clock, parts } = open()
    for (const client_id of ids) {
      await registry.put(`client:${client_id}`, toRecord({ client_id }))
      reads.length = 0
      for (let index = 0; index < 3; index++) assert.equal((await parts.findClient(client_id))?.client_id, client_id)
      clock.now += 29
      await parts.findClient(client_id)
      assert.deepEqual(reads, [`client:${client_id}`])
      await parts.registry.put(`client:${client_id}`, toRecord({ client_id, disabled: true }))
      assert.equal((await parts.findClient(client_id))?.disabled, true)
      await parts.registry.delete(`client:${client_id}`)
      assert.equal(await parts.findClient(client_id), undefined)
    }
  })

  test('a write makes the cache forget the record of its key and no other', async () => {
    const { registry, reads, parts } = open()
    await registry.put('client:c', toRecord({ client_id: 'c' }))
    await parts.findClient('c')
    reads.length = 0
    for (const key of ['resource:c', 'other:c', 'client', 'c', '', 'xclient:c']) await parts.registry.put(key, '1')
    await parts.findClient('c')
    assert.deepEqual(reads, [])
  })

  test('uses the freshness of its options', async () => {
    for (const [cacheSeconds, after, count] of [
      [0, 0, 2],
      [5, 4, 1],
      [5, 5, 2],
      [300, 299, 1],
    ] as const) {
      const { registry, reads, clock, parts } = open({ freshSeconds: cacheSeconds })
      await registry.put('client:c', toRecord({ client_id: 'c' }))
      await parts.findClient('c')
      clock.now += after
      await parts.findClient('c')
      assert.equal(reads.length, count)
    }
  })

  test('caches the default resource server and its absence, and follows writes', async () => {
    const { reads, parts } = open()
    const { resources, registry } = parts
    for (let index = 0; index < 3; index++) assert.equal(await resources.findDefault(), undefined)
    assert.deepEqual(reads, ['resource-role:default'])
    await registry.put(`resource:${A}`, toRecord({ resource: A }))
    await registry.put('resource-role:default', toRecord({ resource: A }))
    assert.equal((await resources.findDefault())?.resource, A)
    reads.length = 0
    assert.equal((await resources.findDefault())?.resource, A)
    assert.deepEqual(reads, [])
    await registry.delete('resource-role:default')
    assert.equal(await resources.findDefault(), undefined)
  })

  test('lists the scopes once while they are fresh', async () => {
    const { registry, clock, parts, lists } = open()
    await registry.put(`resource:${A}`, toRecord({ resource: A, scope: 'write read' }))
    for (let index = 0; index < 3; index++) assert.deepEqual(await parts.findScopes('supported'), ['read', 'write'])
    clock.now += 30
    await parts.findScopes('supported')
    assert.equal(lists.length, 2)
  })

  test('the event of a record served stale names its kind', async () => {
    const keys: unknown[] = []
    const { registry, clock, parts, fail } = open({ emit: (event) => keys.push('key' in event && event.key) })
    await registry.put('client:c', toRecord({ client_id: 'c' }))
    await registry.put(`resource:${A}`, toRecord({ resource: A }))
    await registry.put('resource-role:default', toRecord({ resource: A }))
    const { findClient, findScopes, resources } = parts
    const readAll = () => Promise.all([findClient('c'), findScopes('supported'), resources.findDefault()])
    await readAll()
    fail()
    clock.now += 30
    await readAll()
    const expected = ['client:c', 'resource-role:default', `resource:${A}`, 'scopes:supported']
    assert.deepEqual(keys.sort(), expected.sort())
  })
})

describe('how long a change may stay unseen', () => {
  for (const [lagSeconds, freshSeconds, expected] of [
    [undefined, 30, 330],
    [60, 30, 390],
    [undefined, 0, 300],
  ] as const) {
    test(`lag ${lagSeconds}, fresh for ${freshSeconds}: ${expected}`, () => {
      const { registry } = memoryStores(() => NOW)
      const lagging = { ...registry, ...(lagSeconds !== undefined && { lagSeconds }) }
      const options = { freshSeconds, emit: () => undefined, now: () => NOW }
      assert.equal(openRecords(lagging, options).staleSeconds, expected)
    })
  }

  test('two finders of one kind share a cache', async () => {
    const { registry, records, reads } = open()
    await registry.put('client:c', toRecord({ client_id: 'c' }))
    await records.find(CLIENTS)('c')
    await records.find(CLIENTS)('c')
    assert.deepEqual(reads, ['client:c'])
  })
})
