import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { CASES } from './cases.ts'
import { READERS } from './readers.ts'

/** Of each reader; `npm run fuzz` tries more. */
const INPUTS = 300
const SEED = 20_261_130

describe('whatever it is given, this reader refuses it as it declares, or reads what is there', () => {
  for (const { name, run } of READERS) {
    test(name, async () => assert.equal(await run(INPUTS, SEED), undefined))
  }

  test('every kept case is that of a reader', () => {
    const names = READERS.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    for (const name of Object.keys(CASES)) assert.ok(names.includes(name), name)
  })
})
