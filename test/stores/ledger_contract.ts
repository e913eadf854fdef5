/** What every ledger must do. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Ledger } from '../../src/stores/contracts.ts'
import { NOW } from '../support/world.ts'

const legal = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join('')
let keys = 0

/** @param open gives a ledger on the same data each time, with a clock of the caller's */
export function ledgerContract(open: (now: () => number) => Ledger): void {
  const still = () => NOW
  const newKey = () => `jti:${keys++}:${crypto.randomUUID()}`

  test('of many callers at once exactly one adds', async () => {
    const ledgers = Array.from({ length: 4 }, () => open(still))
    for (let round = 0; round < 5; round++) {
      const key = newKey()
      const tries = Array.from({ length: 100 }, (_, index) => ledgers[index % 4]?.add(key, `${index}`, NOW + 60))
      const won = (await Promise.all(tries)).flatMap((isFirst, index) => (isFirst ? [`${index}`] : []))
      assert.equal(won.length, 1)
      assert.equal(await open(still).get(key), won[0])
    }
  })

  test('a mark stands until the second it expires, by the clock of the caller', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newKey()
    assert.equal(await ledger.add(key, 'first', NOW + 10), true)
    now = NOW + 9
    assert.equal(await ledger.get(key), 'first')
    assert.equal(await ledger.add(key, 'second', NOW + 99), false)
    now = NOW + 10
    assert.equal(await ledger.get(key), undefined)
    assert.equal(await ledger.add(key, 'third', NOW + 20), true)
    assert.equal(await ledger.get(key), 'third')
  })

  test('a deleted mark can be made again', async () => {
    const ledger = open(still)
    const key = newKey()
    await ledger.add(key, 'first', NOW + 10)
    await ledger.delete(key)
    assert.equal(await ledger.get(key), undefined)
    assert.equal(await ledger.add(key, 'second', NOW + 10), true)
  })

  test('counts every caller of a window once, then begins anew', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newKey()
    const counts = await Promise.all(Array.from({ length: 50 }, () => ledger.count(key, 10)))
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    now = NOW + 9
    assert.equal(await ledger.count(key, 10), 51)
    now = NOW + 10
    assert.equal(await ledger.count(key, 10), 1)
  })

  test('lists live marks under a prefix', async () => {
    let now = NOW
    const ledger = open(() => now)
    await ledger.add('revoked:a', '', NOW + 10)
    await ledger.add('revoked:b', '', NOW + 5)
    await ledger.add('cut:x', '7', NOW + 10)
    const keysOf = async (prefix: 'revoked:' | 'cut:') => (await ledger.list(prefix, 100)).map(({ key }) => key).sort()
    assert.deepEqual(await keysOf('revoked:'), ['revoked:a', 'revoked:b'])
    assert.deepEqual(await ledger.list('cut:', 100), [{ key: 'cut:x', value: '7' }])
    assert.equal((await ledger.list('revoked:', 1)).length, 1)
    now = NOW + 5
    assert.deepEqual(await keysOf('revoked:'), ['revoked:a'])
    await ledger.delete('revoked:a')
    assert.deepEqual(await keysOf('revoked:'), [])
  })

  test('takes any text for key and value', async () => {
    const ledger = open(still)
    for (const text of [legal, 'é\u{1f511}', "'; DROP TABLE ledger; --"]) {
      const key = `${newKey()}${text}`
      assert.equal(await ledger.add(key, text, NOW + 10), true)
      assert.equal(await ledger.get(key), text)
      assert.equal(await ledger.get(`${key} `), undefined)
    }
  })
}
