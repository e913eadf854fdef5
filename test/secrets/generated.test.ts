import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { crc32 } from '../../src/lib/crc32.ts'
import { generateSecret, isIntact, looksGenerated } from '../../src/secrets/generated.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'

describe('generateSecret', () => {
  test('returns a different secret each time, which needs no encoding', () => {
    const secrets = Array.from({ length: 100 }, generateSecret)
    assert.equal(new Set(secrets).size, 100)
    for (const secret of secrets) assert.match(secret, /^emint_[\w-]{48}$/)
    assert.ok(secrets.every((secret) => looksGenerated(secret) && isIntact(secret)))
  })

  test('the checksum detects every changed character, every cut and every addition', () => {
    const secret = generateSecret()
    for (let index = 'emint_'.length; index < secret.length; index++) {
      for (const other of ['A', 'b', '0', '_']) {
        if (secret[index] !== other) assert.ok(!isIntact(secret.slice(0, index) + other + secret.slice(index + 1)))
      }
      assert.ok(!isIntact(secret.slice(0, index)))
    }
    for (const wrong of [`${secret}A`, `${secret}=`, ` ${secret}`, `${secret}\n`, secret.toUpperCase()]) {
      assert.ok(!looksGenerated(wrong) || !isIntact(wrong), wrong)
    }
  })
})

describe('hashSecret', () => {
  test('uses SHA-256 for a generated secret, and never for a chosen one', async () => {
    assert.match(await hashSecret(generateSecret()), /^\$sha256\$[\w-]{43}$/)
    assert.match(await hashSecret('correct horse battery staple'), /^\$2b\$10\$/)
  })

  test('refuses secrets that could not be distinguished later', async () => {
    for (const bad of ['x'.repeat(73), 'a\0b', 'emint_chosen']) await assert.rejects(hashSecret(bad), RangeError)
  })
})

describe('crc32', () => {
  test('returns the check value of the standard', () => {
    assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
  })
})
