import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { openRecords } from '../../src/records/open.ts'
import { toRecord } from '../../src/records/records.ts'
import { scopesOf } from '../../src/resources/scopes.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const open = (registry: Registry) => openRecords(registry, { freshSeconds: 0, emit: () => undefined, now: () => NOW })

/** Registers resource servers with these scopes; undefined is one without `scope`. */
async function setUp(scopes: readonly (string | undefined)[]) {
  const { registry } = memoryStores(() => NOW)
  for (const [index, scope] of scopes.entries()) {
    const resource = `urn:example:${String(index).padStart(3, '0')}`
    await registry.put(`resource:${resource}`, toRecord({ resource, scope }))
  }
  return { registry, scopes: () => scopesOf(open(registry)) }
}

describe('scopesOf', () => {
  for (const [name, given, expected] of [
    ['no resource server', [], []],
    ['one without a scope', [undefined, ''], []],
    ['several, each once and in order', ['write read', undefined, 'read admin'], ['admin', 'read', 'write']],
    ['patterns', ['users.* * *.read a*b read'], ['read']],
    ['spaces', [' read  write '], ['read', 'write']],
  ] as const) {
    test(name, async () => assert.deepEqual(await (await setUp(given)).scopes(), expected))
  }

  test('ignores unreadable records and records of other kinds', async () => {
    const { registry, scopes } = await setUp(['read'])
    await registry.put('resource:urn:example:broken', '{')
    await registry.put('resource-role:default', toRecord({ resource: 'urn:example:000', scope: 'role' }))
    await registry.put('client:a', toRecord({ client_id: 'a', scope: 'client' }))
    assert.deepEqual(await scopes(), ['read'])
  })

  test('reads at most a hundred resource servers', async () => {
    const { scopes } = await setUp(Array.from({ length: 101 }, (_, index) => `scope-${index}`))
    const found = await scopes()
    assert.equal(found.length, 100)
    assert.ok(!found.includes('scope-100'))
  })

  test('fails when the list cannot be read', async () => {
    const { registry } = await setUp(['read'])
    const list = () => Promise.reject(new Error('down'))
    await assert.rejects(scopesOf(open({ ...registry, list })), /down/)
  })
})
