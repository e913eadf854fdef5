/** The tests that every ledger must pass. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Ledger, Level } from '../../src/stores/contracts.ts'
import { NOW } from '../support/world.ts'

const legal = Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)).join('')
let keys = 0

const byKey = (a: Level, b: Level): number => (a.key < b.key ? -1 : 1)

/** Returns all pages of a family as one list. */
export async function levelsOf(ledger: Ledger, family: string): Promise<Level[]> {
  const levels: Level[] = []
  for await (const page of ledger.list(family)) levels.push(...page)
  return levels
}

/** @param open returns a ledger on the same data each time, with the given clock */
export function ledgerContract(open: (now: () => number) => Ledger): void {
  const still = () => NOW
  const newKey = () => `jti:${keys++}:${crypto.randomUUID()}`
  const newFamily = () => `family-${keys++}-${crypto.randomUUID()}`
  const newLevel = () => `${newFamily()}:level`

  test('exactly one of many concurrent callers adds a mark', async () => {
    const ledgers = Array.from({ length: 4 }, () => open(still))
    for (let round = 0; round < 5; round++) {
      const key = newKey()
      const tries = Array.from({ length: 100 }, (_, index) => ledgers[index % 4]?.add(key, `${index}`, NOW + 60))
      const won = (await Promise.all(tries)).flatMap((isFirst, index) => (isFirst ? [`${index}`] : []))
      assert.equal(won.length, 1)
      assert.equal(await open(still).get(key), won[0])
    }
  })

  test('a mark exists until the second it expires, by the clock of the caller', async () => {
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

  test('a level rises to the largest value and the latest expiry, in any order', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newLevel()
    assert.equal(await ledger.raise(key, 7, NOW + 20), 7)
    assert.equal(await ledger.raise(key, 5, NOW + 30), 7)
    assert.equal(await ledger.raise(key, 1_800_000_009, NOW + 10), 1_800_000_009)
    assert.equal(await ledger.get(key), '1800000009')
    assert.equal(await ledger.raise(key, 9, NOW - 5), 1_800_000_009)
    now = NOW + 29
    assert.equal(await ledger.get(key), '1800000009')
    now = NOW + 30
    assert.equal(await ledger.get(key), undefined)
    assert.equal(await ledger.raise(key, 3, NOW + 40), 3, 'what has expired does not count')
    assert.equal(await ledger.get(key), '3')
  })

  test('a level raised with a past expiry does not exist', async () => {
    const ledger = open(still)
    const key = newLevel()
    await ledger.raise(key, 7, NOW)
    await ledger.raise(key, 8, NOW - 86_400)
    assert.equal(await ledger.get(key), undefined)
  })

  test('many concurrent raises keep the largest value, and no reader sees it fall', async () => {
    const ledgers = Array.from({ length: 4 }, () => open(still))
    for (let round = 0; round < 5; round++) {
      const key = newLevel()
      await ledgers[0]?.raise(key, 1, NOW + 60)
      const values = Array.from({ length: 40 }, (_, index) => 2 + ((index * 17) % 40))
      let highest = 1
      const raising = Promise.all(values.map((value, index) => ledgers[index % 4]?.raise(key, value, NOW + 60 + value)))
      for (let isDone = false; !isDone; ) {
        const seen = Number(await ledgers[round % 4]?.get(key))
        assert.ok(seen >= highest, `${seen} after ${highest}`)
        highest = seen
        isDone = await Promise.race([
          raising.then(() => true),
          new Promise<false>((next) => setTimeout(next, 1, false)),
        ])
      }
      assert.deepEqual(await Promise.all(ledgers.map((ledger) => ledger.get(key))), Array(4).fill('41'))
    }
  })

  test('counts every call in a window once, then starts again', async () => {
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

  test('lists the live levels of one family', async () => {
    let now = NOW
    const ledger = open(() => now)
    const family = newFamily()
    for (const key of ['a', 'a:b', '\u2217', '']) await ledger.raise(`${family}:${key}`, 7, NOW + 10)
    await ledger.raise(`${family}:b`, 8, NOW + 5)
    for (const other of [`${family}x`, `${family};`, `x${family}`]) await ledger.raise(`${other}:a`, 9, NOW + 10)
    const lasting = ['a', 'a:b', '\u2217'].map((id) => ({ key: `${family}:${id}`, value: 7 }))
    const sorted = async () => (await levelsOf(ledger, family)).filter(({ key }) => key !== `${family}:`).sort(byKey)
    assert.deepEqual(await sorted(), [...lasting, { key: `${family}:b`, value: 8 }].sort(byKey))
    now = NOW + 5
    assert.deepEqual(await sorted(), lasting.sort(byKey))
    now = NOW + 10
    assert.deepEqual(await levelsOf(ledger, family), [])
  })

  test('lists every level of a family of many pages while other callers raise levels in it', async () => {
    const ledger = open(still)
    const family = newFamily()
    const ids = Array.from({ length: 2500 }, (_, index) => `${family}:${index}`)
    await Promise.all(ids.map((key, index) => ledger.raise(key, index, NOW + 60 + index)))
    const [levels] = await Promise.all([
      levelsOf(ledger, family),
      ...ids.slice(0, 500).map((key) => ledger.raise(key, 1, NOW + 9000)),
      ...ids.slice(0, 100).map((key) => ledger.raise(`${key}-later`, 1, NOW + 9000)),
    ])
    const listed = new Set(levels.map(({ key }) => key))
    assert.deepEqual(
      ids.filter((key) => !listed.has(key)),
      [],
    )
    assert.ok(levels.length < 5200)
  })

  test('a second window lasts its own time', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newKey()
    for (const [after, windowSeconds, count] of [
      [0, 10, 1],
      [9, 100, 2],
      [10, 5, 1],
      [14, 5, 2],
      [15, 5, 1],
    ] as const) {
      now = NOW + after
      assert.equal(await ledger.count(key, windowSeconds), count, `after ${after} s`)
    }
  })

  test('an expired mark does not exist, whenever it was made', async () => {
    const ledger = open(still)
    for (const expiresAt of [NOW, NOW - 1, 0]) {
      const key = newKey()
      assert.equal(await ledger.add(key, 'first', expiresAt), true)
      assert.equal(await ledger.get(key), undefined)
      assert.equal(await ledger.add(key, 'second', NOW + 1), true)
      assert.equal(await ledger.get(key), 'second')
    }
  })

  test('a mark exists for a caller whose clock is set back', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newKey()
    await ledger.add(key, 'first', NOW + 10)
    now = NOW + 10
    assert.equal(await ledger.get(key), undefined)
    now = NOW + 9
    assert.equal(await ledger.get(key), 'first')
    assert.equal(await ledger.add(key, 'second', NOW + 99), false)
  })

  test('lists each level once, until it expires by the clock of the caller, and none of a family with a similar name', async () => {
    let now = NOW
    const ledger = open(() => now)
    const family = newFamily()
    const ids = Array.from({ length: 40 }, (): string => crypto.randomUUID())
    for (const [index, id] of ids.entries()) {
      await ledger.raise(`${family}:${id}`, index, NOW + 100 + index)
      for (const similar of [`${family}s:`, `${family};`, `${family.slice(0, -1)}:`]) {
        await ledger.raise(`${similar}${id}`, 1, NOW + 100 + index)
      }
    }
    now = NOW + 110
    const live = ids.flatMap((id, index) => (index < 11 ? [] : [{ key: `${family}:${id}`, value: index }]))
    assert.deepEqual((await levelsOf(ledger, family)).sort(byKey), live.sort(byKey))
  })

  test('a level that expired and was raised again is listed once, with its new value', async () => {
    let now = NOW
    const ledger = open(() => now)
    const key = newLevel()
    await ledger.raise(key, 9, NOW + 200)
    now = NOW + 200
    await ledger.raise(key, 2, NOW + 400)
    assert.deepEqual(await levelsOf(ledger, key.split(':')[0] ?? ''), [{ key, value: 2 }])
  })

  test('accepts any text as key and value', async () => {
    const ledger = open(still)
    for (const text of [legal, 'é\u{1f511}', "'; DROP TABLE ledger; --"]) {
      const key = `${newKey()}${text}`
      assert.equal(await ledger.add(key, text, NOW + 10), true)
      assert.equal(await ledger.get(key), text)
      assert.equal(await ledger.get(`${key} `), undefined)
    }
  })
}
