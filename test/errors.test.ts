import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { invalidScope } from '../src/errors.ts'

describe('OAuthError', () => {
  test('keeps its description to the characters of RFC 6749 §5.2, whatever is echoed in it', () => {
    const all = Array.from({ length: 0x120 }, (_, code) => String.fromCharCode(code)).join('')
    assert.match(invalidScope('scope_not_allowed', all).message, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  })
})
