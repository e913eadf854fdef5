import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { decodeBase64url, encodeBase64url } from '../../src/lib/base64url.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('base64url', () => {
  test('decodes encoded octets', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) =>
        assert.deepEqual([...decodeBase64url(encodeBase64url(octets))], [...octets]),
      ),
    )
  })

  for (const [text, hex] of [
    ['', ''],
    ['Zg', '66'],
    ['Zm8', '666f'],
    ['Zm9v', '666f6f'],
    ['-_-_', 'fbffbf'],
    ['_-8', 'ffef'],
  ] as const) {
    test(`of ${hex || 'nothing'} is ${text || 'nothing'}`, () => {
      const octets = Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
      assert.equal(encodeBase64url(octets), text)
      assert.deepEqual([...decodeBase64url(text)], [...octets])
    })
  }

  test('accepts an incomplete last group only if its unused bits are zero', () => {
    let taken = 0
    for (const text of [...ALPHABET].flatMap((last) => [`A${last}`, `AA${last}`, `AAAAA${last}`, `AAAAAA${last}`])) {
      try {
        assert.equal(encodeBase64url(decodeBase64url(text)), text)
        taken++
      } catch (error) {
        assert.ok(error instanceof TypeError, text)
      }
    }
    assert.equal(taken, 2 * (4 + 16))
  })

  for (const bad of [
    'QQ==',
    'QUI=',
    'QR',
    'Q',
    'QUJDQ',
    'QUI ',
    ' QUI',
    'QUJD\n',
    'QU\nJD',
    'Q+AA',
    'Q/AA',
    'QUJD====',
    'é',
    'QUJD=',
  ]) {
    test(`refuses ${JSON.stringify(bad)}`, () => assert.throws(() => decodeBase64url(bad), TypeError))
  }
})
