import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { crc32 } from '../../src/lib/crc32.ts'

describe('crc32', () => {
  for (const [text, checksum] of [
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ] as const) {
    test(`of "${text}"`, () => assert.equal(crc32(new TextEncoder().encode(text)), checksum))
  }

  test('of every octet', () => assert.equal(crc32(Uint8Array.from({ length: 256 }, (_, octet) => octet)), 0x29058c73))
})
