import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { describe, test } from '#test'
import { decodeBase64url, encodeBase64url } from '../../src/lib/base64url.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashKind, hashSecret, hashToken, isSameToken } from '../../src/secrets/hashes.ts'

/** The hash of `foobar`, computed by OpenSSL's PBKDF2, in Hydra's format. */
const PBKDF2 = '$pbkdf2-sha256$i=25000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$UJMLNFAtnTExyzAJ/ns/egKOEcV+ehIVpkGCh8zHVm4'

/** Returns the hash with each bit of the digest at its end changed, one at a time, as base64url. */
function neighbours(prefix: string, digest: string, recode: (base64url: string) => string): readonly string[] {
  const octets = decodeBase64url(digest)
  return Array.from({ length: octets.length * 8 }, (_, bit) => {
    const changed = octets.map((octet, index) => (index === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet))
    return prefix + recode(encodeBase64url(changed))
  })
}

describe('a comparison', () => {
  test('by SHA-256 takes every bit of the digest into account', async () => {
    const secret = generateSecret()
    const right = await hashSecret(secret)
    assert.equal(await hashKind(right)?.compare(secret, right), true)
    assert.equal(await isSameToken(secret, right), true)
    const wrong = neighbours('$sha256$', right.slice('$sha256$'.length), (text) => text)
    assert.equal(wrong.length, 256)
    for (const hash of wrong) {
      assert.equal(await hashKind(hash)?.compare(secret, hash), false)
      assert.equal(await isSameToken(secret, hash), false)
    }
  })

  test('by PBKDF2 takes every octet of the key into account', async () => {
    assert.equal(await hashKind(PBKDF2)?.compare('foobar', PBKDF2), true)
    const [, , , , key = ''] = PBKDF2.split('$')
    const base64 = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')
    const wrong = neighbours(PBKDF2.slice(0, -key.length), key.replaceAll('+', '-').replaceAll('/', '_'), base64)
    for (const hash of wrong.filter((_, bit) => bit % 8 === 0)) {
      assert.equal(await hashKind(hash)?.compare('foobar', hash), false)
    }
  })

  test('by bcrypt takes every character of the digest into account', async () => {
    const right = await hash('foobar', 4)
    assert.equal(await hashKind(right)?.compare('foobar', right), true)
    for (let index = 29; index < right.length; index++) {
      const wrong = right.slice(0, index) + (right[index] === 'a' ? 'b' : 'a') + right.slice(index + 1)
      assert.equal(await hashKind(wrong)?.compare('foobar', wrong), false)
    }
  })
})

describe('isSameToken', () => {
  test('is false without a hash, and for slow or unknown hashes', async () => {
    const token = generateSecret()
    assert.equal(await isSameToken(token, await hashToken(token)), true)
    assert.equal(await isSameToken('another', await hashToken(token)), false)
    for (const hash of [undefined, '', 'foobar', PBKDF2, await hashSecret('foobar')]) {
      assert.equal(await isSameToken('foobar', hash), false)
    }
  })
})
