import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { isClientId } from '../../src/clients/registry.ts'

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
