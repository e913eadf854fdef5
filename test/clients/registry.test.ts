import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { isClientId, isNewClientId } from '../../src/clients/registry.ts'

describe('isClientId', () => {
  test('takes every visible ASCII character and the blank', () => {
    for (let code = 0; code < 0x100; code++) {
      assert.equal(isClientId(String.fromCharCode(code)), code >= 0x20 && code <= 0x7e)
    }
  })

  test('takes 256 characters, not 257, not none', () => {
    assert.ok(isClientId('x'.repeat(256)))
    assert.ok(!isClientId('x'.repeat(257)))
    assert.ok(!isClientId(''))
  })
})

describe('isNewClientId', () => {
  test('excludes the segments that URL parsers drop from a path, which stored clients may have', () => {
    for (const id of ['.', '..']) assert.deepEqual([isNewClientId(id), isClientId(id)], [false, true])
    for (const id of ['...', '.a', 'a.', '%2e', './a', 'a']) assert.ok(isNewClientId(id))
    assert.ok(!isNewClientId(''))
  })
})
