/** What every registry must do. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Registry } from '../../src/types.ts'

export function registryContract(open: () => Registry): void {
  test('gives undefined for what was never put', async () => {
    assert.equal(await open().get('client:nobody'), undefined)
  })

  test('gives back what was put, the last of several', async () => {
    const registry = open()
    await registry.put('client:a', '{"a":1}')
    await registry.put('client:a', '{"ä":"\u{1f511}"}')
    assert.equal(await registry.get('client:a'), '{"ä":"\u{1f511}"}')
  })

  test('takes every character of a client_id, and tells keys apart to the letter', async () => {
    const registry = open()
    const legal = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join('')
    for (const id of [legal, 'A', 'a', 'a ', '..', '%41', "'; DROP TABLE registry; --"]) {
      await registry.put(`client:${id}`, JSON.stringify(id))
      assert.equal(await registry.get(`client:${id}`), JSON.stringify(id))
    }
    assert.equal(await registry.get('client:A'), '"A"')
    assert.equal(await registry.get('client:a'), '"a"')
  })

  test('takes 64 KiB', async () => {
    const registry = open()
    const value = JSON.stringify('x'.repeat(65536 - 2))
    await registry.put('client:big', value)
    assert.equal(await registry.get('client:big'), value)
  })
}
