import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { deriveHmacKey } from '../../src/keys/derived_key.ts'

async function signatureOf(secret: string, purpose: string): Promise<string> {
  const key = await deriveHmacKey(secret, purpose)
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('message'))
  return [...new Uint8Array(signature)].map((octet) => octet.toString(16).padStart(2, '0')).join('')
}

describe('deriveHmacKey', () => {
  test('is HKDF-SHA-256 of RFC 5869 without a salt: every process and version derives the same key', async () => {
    assert.equal(
      await signatureOf('secret of sixteen', 'dpop nonces'),
      'a4dac503775f79e7a51e62d3c838dd8d81ec39c50b6064238727f4d040c24c1b',
    )
  })

  test('derives different keys for different secrets and purposes', async () => {
    const pairs = [
      ['secret', 'a'],
      ['secret', 'b'],
      ['secret', ''],
      ['secreta', ''],
      ['Secret', 'a'],
      ['', 'a'],
    ] as const
    const signatures = await Promise.all(pairs.map(([secret, purpose]) => signatureOf(secret, purpose)))
    assert.equal(new Set(signatures).size, pairs.length)
  })

  test('returns a key that can only sign and cannot be exported', async () => {
    const { extractable, usages, algorithm } = await deriveHmacKey('secret', 'a')
    assert.deepEqual([extractable, usages, algorithm.name], [false, ['sign'], 'HMAC'])
  })
})
