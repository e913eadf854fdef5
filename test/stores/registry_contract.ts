/** The tests that every registry must pass. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Registry } from '../../src/stores/contracts.ts'

const legal = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join('')

interface Options {
  /** Whether cursors are keys and not opaque texts of the backend. */
  readonly takesAnyCursor?: boolean
  /** Writes a record faster than `put`, if that is slow. */
  readonly fill?: (key: string, value: string) => Promise<void>
  /** How many records make many pages of a backend that reads as many at once as it is asked for. */
  readonly many?: number
}

/**
 * @param open returns a registry that other tests may have written to, under other prefixes
 */
export function registryContract(
  open: () => Registry,
  { takesAnyCursor = true, fill, many = 10_000 }: Options = {},
): void {
  test('returns undefined for a key that was never put or was deleted', async () => {
    const registry = open()
    assert.equal(await registry.get('client:nobody'), undefined)
    await registry.delete('client:nobody')
    await registry.put('client:gone', '1')
    await registry.delete('client:gone')
    assert.equal(await registry.get('client:gone'), undefined)
    assert.deepEqual(await registry.list('client:gone', { limit: 10 }), { keys: [] })
  })

  test('returns the value that was put last', async () => {
    const registry = open()
    await registry.put('client:a', '{"a":1}')
    await registry.put('client:a', '{"ä":"\u{1f511}"}')
    assert.equal(await registry.get('client:a'), '{"ä":"\u{1f511}"}')
  })

  test('accepts every character of a client_id, and compares keys exactly', async () => {
    const registry = open()
    const ids = [legal, '{a}', 'A', 'a', 'a ', '..', '%41', '*', "'; DROP TABLE registry; --", 'x'.repeat(256)]
    for (const id of ids) await registry.put(`any:${id}`, JSON.stringify(id))
    for (const id of ids) assert.equal(await registry.get(`any:${id}`), JSON.stringify(id))
    const { keys } = await registry.list('any:', { limit: 100 })
    assert.deepEqual(keys, ids.map((id) => `any:${id}`).sort())
  })

  test('replaces and removes only the expected value; one of many concurrent callers wins', async () => {
    const registry = open()
    const { replace, remove } = registry
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
    assert.equal(await remove('client:r', winner), false)
    const removed = await Promise.all(Array.from({ length: 20 }, () => remove('client:r', 'next')))
    assert.equal(removed.filter(Boolean).length, 1)
    assert.equal(await registry.get('client:r'), undefined)
    assert.deepEqual((await registry.list('client:r', { limit: 10 })).keys, [])
    assert.equal(await replace('client:r', 'next', 'again'), false)
    assert.equal(await replace('client:r', undefined, 'again'), true)
    assert.equal(await remove('client:r', 'again'), true)
  })

  test('a read with latest sees each write', async () => {
    const registry = open()
    const latest = () => registry.get('client:l', { latest: true })
    assert.equal(await latest(), undefined)
    await registry.put('client:l', '1')
    assert.equal(await latest(), '1')
    await registry.replace('client:l', '1', '2')
    assert.equal(await latest(), '2')
    await registry.delete('client:l')
    assert.equal(await latest(), undefined)
    assert.equal(await registry.replace('client:l', '2', '3'), false)
  })

  test('lists nothing outside the prefix, whatever the cursor', async () => {
    const registry = open()
    for (const key of ['in:a', 'in:b', 'jn:a']) await registry.put(key, '1')
    // A cursor that no page returned must not reveal other parts of the store.
    if (takesAnyCursor)
      assert.deepEqual((await registry.list('in:', { limit: 10, cursor: 'aa' })).keys, ['in:a', 'in:b'])
    if (takesAnyCursor) assert.deepEqual((await registry.list('in:', { limit: 10, cursor: 'jn:' })).keys, [])
    assert.deepEqual((await registry.list('in:', { limit: 10 })).keys, ['in:a', 'in:b'])
  })

  for (const [name, keys] of [
    ['keys of one length', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['keys that begin with one another', ['', 'a', 'a ', 'aa', 'aaa', 'b']],
    ['keys in both cases', ['A', 'B', 'a', 'b']],
    ['keys that are not ASCII', ['z', 'é', '\uffee', '\u{1f511}', '\u{1f511}a']],
  ] as const) {
    test(`lists ${name} in pages of any size, each once`, async () => {
      const registry = open()
      const prefix = `page:${name}:`
      for (const key of keys) await registry.put(prefix + key, '1')
      for (const neighbour of [`page:${name}`, `page:${name};`, `page:${name}9:x`]) await registry.put(neighbour, '1')
      for (let limit = 1; limit <= keys.length + 1; limit++) {
        const listed: string[] = []
        let cursor: string | undefined
        let pages = 0
        do {
          const page = await registry.list(prefix, { limit, cursor })
          assert.ok(page.keys.length <= limit)
          listed.push(...page.keys)
          cursor = page.cursor
          assert.ok(pages++ <= keys.length, 'the cursor moves on')
        } while (cursor !== undefined)
        assert.equal(listed.length, keys.length, `${limit} a page`)
        assert.deepEqual(new Set(listed), new Set(keys.map((key) => prefix + key)))
        if (limit > keys.length) assert.equal(pages, 1)
      }
    })
  }

  test('lists the current keys, also if they change between two pages', async () => {
    const registry = open()
    for (const key of ['live:a', 'live:b', 'live:c', 'live:d']) await registry.put(key, '1')
    const { cursor } = await registry.list('live:', { limit: 2 })
    assert.ok(cursor !== undefined)
    await registry.delete('live:b')
    await registry.delete('live:c')
    await registry.put('live:e', '1')
    assert.deepEqual((await registry.list('live:', { limit: 9, cursor })).keys, ['live:d', 'live:e'])
    assert.deepEqual((await registry.list('live:', { limit: 9 })).keys, ['live:a', 'live:d', 'live:e'])
  })

  test('accepts a value of 64 KiB', async () => {
    const registry = open()
    const value = JSON.stringify('x'.repeat(65536 - 2))
    await registry.put('client:big', value)
    assert.equal(await registry.get('client:big'), value)
  })

  test(`lists ${many} keys in pages: each once, in order, and none outside the prefix`, async () => {
    const registry = open()
    const put = fill ?? registry.put
    const expected = Array.from({ length: many }, (_, index) => `many:${String(index).padStart(5, '0')}`)
    for (let from = 0; from < expected.length; from += 500) {
      await Promise.all(expected.slice(from, from + 500).map((key) => put(key, '1')))
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
    assert.ok(pages <= Math.ceil(many / 999) + 1)
  })
}
