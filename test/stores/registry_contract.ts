/** What every registry must do. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Registry } from '../../src/stores/contracts.ts'

const legal = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join('')

/**
 * @param open gives a registry that other tests may have written to, under other prefixes
 * @param replaces whether it can replace, which only an eventually consistent one cannot
 */
export function registryContract(open: () => Registry, replaces = true): void {
  test('gives undefined for what was never put, and for what was deleted', async () => {
    const registry = open()
    assert.equal(await registry.get('client:nobody'), undefined)
    await registry.delete('client:nobody')
    await registry.put('client:gone', '1')
    await registry.delete('client:gone')
    assert.equal(await registry.get('client:gone'), undefined)
    assert.deepEqual(await registry.list('client:gone', { limit: 10 }), { keys: [] })
  })

  test('gives back what was put, the last of several', async () => {
    const registry = open()
    await registry.put('client:a', '{"a":1}')
    await registry.put('client:a', '{"ä":"\u{1f511}"}')
    assert.equal(await registry.get('client:a'), '{"ä":"\u{1f511}"}')
  })

  test('takes every character of a client_id, and tells keys apart to the letter', async () => {
    const registry = open()
    const ids = [legal, '{a}', 'A', 'a', 'a ', '..', '%41', '*', "'; DROP TABLE registry; --", 'x'.repeat(256)]
    for (const id of ids) await registry.put(`any:${id}`, JSON.stringify(id))
    for (const id of ids) assert.equal(await registry.get(`any:${id}`), JSON.stringify(id))
    const { keys } = await registry.list('any:', { limit: 100 })
    assert.deepEqual(keys, ids.map((id) => `any:${id}`).sort())
  })

  test('replaces only what it was told to, if at all; of many at once one wins', async () => {
    const registry = open()
    const { replace } = registry
    assert.equal(replace !== undefined, replaces)
    if (replace === undefined) return
    assert.equal(await replace('client:r', 'nothing yet', '1'), false)
    assert.equal(await registry.get('client:r'), undefined)
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, index) => replace('client:r', undefined, `${index}`)),
    )
    assert.equal(created.filter(Boolean).length, 1)
    const winner = String(created.indexOf(true))
    assert.equal(await registry.get('client:r'), winner)
    const raced = await Promise.all(Array.from({ length: 20 }, () => replace('client:r', winner, 'next')))
    assert.equal(raced.filter(Boolean).length, 1)
    assert.equal(await registry.get('client:r'), 'next')
    assert.deepEqual((await registry.list('client:r', { limit: 10 })).keys, ['client:r'])
    assert.equal(await registry.remove?.('client:r', winner), false)
    const removed = await Promise.all(Array.from({ length: 20 }, () => registry.remove?.('client:r', 'next')))
    assert.equal(removed.filter(Boolean).length, 1)
    assert.equal(await registry.get('client:r'), undefined)
    assert.deepEqual((await registry.list('client:r', { limit: 10 })).keys, [])
  })

  test('lists nothing outside of the prefix, whatever the cursor', async () => {
    const registry = open()
    for (const key of ['in:a', 'in:b', 'jn:a']) await registry.put(key, '1')
    // A cursor is what a page gave before; what no page gave must not open another part of the store.
    if (replaces) assert.deepEqual((await registry.list('in:', { limit: 10, cursor: 'aa' })).keys, ['in:a', 'in:b'])
    if (replaces) assert.deepEqual((await registry.list('in:', { limit: 10, cursor: 'jn:' })).keys, [])
    assert.deepEqual((await registry.list('in:', { limit: 10 })).keys, ['in:a', 'in:b'])
  })

  test('takes 64 KiB', async () => {
    const registry = open()
    const value = JSON.stringify('x'.repeat(65536 - 2))
    await registry.put('client:big', value)
    assert.equal(await registry.get('client:big'), value)
  })

  test('lists 10,000 in pages: each once, in order, nothing beside the prefix', async () => {
    const registry = open()
    const expected = Array.from({ length: 10_000 }, (_, index) => `many:${String(index).padStart(5, '0')}`)
    for (let from = 0; from < expected.length; from += 500) {
      await Promise.all(expected.slice(from, from + 500).map((key) => registry.put(key, '1')))
    }
    await registry.put('man', '1')
    await registry.put('many;', '1')
    const listed: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await registry.list('many:', { limit: 999, cursor })
      assert.ok(page.keys.length <= 999)
      listed.push(...page.keys)
      cursor = page.cursor
      pages++
    } while (cursor !== undefined)
    assert.deepEqual(listed, expected)
    assert.ok(pages <= 12)
  })
}
