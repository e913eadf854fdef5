import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { editDistance } from '../../src/lib/edit_distance.ts'

describe('editDistance', () => {
  for (const [one, other, expected] of [
    ['', '', 0],
    ['ISSUER', 'ISSUER', 0],
    ['', 'abc', 3],
    ['ISUER', 'ISSUER', 1],
    ['ISSUERS', 'ISSUER', 1],
    ['ISSUES', 'ISSUER', 1],
    ['ISSEUR', 'ISSUER', 1],
    ['kitten', 'sitting', 3],
    ['ABCD', 'BADC', 2],
  ] as const) {
    test(`of "${one}" and "${other}" is ${expected}`, () => {
      assert.deepEqual([editDistance(one, other), editDistance(other, one)], [expected, expected])
    })
  }
})
