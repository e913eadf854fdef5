import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { decodeBase64url, encodeBase64url } from '../../src/lib/base64url.ts'

describe('base64url', () => {
  test('decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) =>
        assert.deepEqual([...decodeBase64url(encodeBase64url(octets))], [...octets]),
      ),
    )
  })

  for (const bad of ['QQ==', 'QR', 'Q', 'QUI ', 'Q+A', 'Q/A', 'é']) {
    test(`refuses ${bad}`, () => assert.throws(() => decodeBase64url(bad)))
  }
})
