import assert from 'node:assert/strict'
import { describe, test } from '#test'
import {
  keyEncryptionProblem,
  readKeyEncryptionKeys,
  unwrapPrivateKey,
  wrapPrivateKey,
} from '../../src/keys/key_encryption.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'

const kek = (id: string, octet = 1) => `${id}:${encodeBase64url(new Uint8Array(32).fill(octet))}`
const HERE = { issuer: 'https://tokens.example', kid: 'k', alg: 'ES256' }
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

async function keyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
}

describe('KEY_ENCRYPTION_KEYS', () => {
  test('the first key encrypts, and all of them decrypt', async () => {
    const keks = await readKeyEncryptionKeys(` ${kek('new', 2)} , ${kek('old')}`)
    assert.equal(keks.first, 'new')
    assert.deepEqual([...keks.keys.keys()], ['new', 'old'])
    for (const key of keks.keys.values()) assert.equal(key.extractable, false)
  })

  test('refuses what is malformed, and quotes nothing of it', async () => {
    for (const text of [
      '',
      'a',
      `${kek('a')},`,
      kek(''),
      kek('a b'),
      kek('a').slice(0, -1),
      `${kek('a')}A`,
      `${kek('a')}, ${kek('a', 2)}`,
      kek('a'.repeat(65)),
      `a:${'='.repeat(43)}`,
    ]) {
      const problem = keyEncryptionProblem(text)
      assert.ok(problem, text)
      assert.ok(!problem.includes('AQEB'))
      await assert.rejects(readKeyEncryptionKeys(text), TypeError)
    }
    assert.equal(keyEncryptionProblem(kek('a.b-c_1')), undefined)
  })
})

describe('an encrypted private key', () => {
  test('signs after it was decrypted, and cannot be exported', async () => {
    const keks = await readKeyEncryptionKeys(kek('a'))
    const { privateKey, publicKey } = await keyPair()
    const wrapped = await wrapPrivateKey(privateKey, HERE, keks)
    const key = await unwrapPrivateKey(wrapped, HERE, keks, publicKey.algorithm)
    assert.ok(key)
    assert.equal(key.extractable, false)
    const signing = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = await crypto.subtle.sign(signing, key, new Uint8Array(3))
    assert.ok(await crypto.subtle.verify(signing, publicKey, signature, new Uint8Array(3)))
  })

  test('two encryptions of one key have nothing in common', async () => {
    const keks = await readKeyEncryptionKeys(kek('a'))
    const { privateKey } = await keyPair()
    const [one, two] = [await wrapPrivateKey(privateKey, HERE, keks), await wrapPrivateKey(privateKey, HERE, keks)]
    assert.notEqual(one.iv, two.iv)
    assert.notEqual(one.data, two.data)
  })

  test('is bound to its issuer, kid and algorithm, and to its key-encryption key', async () => {
    const keks = await readKeyEncryptionKeys(kek('a'))
    const { privateKey } = await keyPair()
    const wrapped = await wrapPrivateKey(privateKey, HERE, keks)
    const open = (belonging: typeof HERE, by = keks, change: Partial<typeof wrapped> = {}) =>
      unwrapPrivateKey({ ...wrapped, ...change }, belonging, by, P256)
    assert.ok(await open(HERE))
    for (const change of [{ issuer: 'https://other.example' }, { kid: 'l' }, { alg: 'ES384' }])
      assert.equal(await open({ ...HERE, ...change }), undefined)
    assert.equal(await open({ ...HERE, issuer: 'https://tokens.example","k', kid: '' }), undefined)
    assert.equal(await open(HERE, await readKeyEncryptionKeys(kek('a', 2))), undefined, 'another key of the same id')
    assert.equal(await open(HERE, await readKeyEncryptionKeys(kek('b'))), undefined, 'the same key of another id')
    for (const change of [{ data: '' }, { data: wrapped.data.slice(4) }, { iv: 'AAAAAAAAAAAAAAAA' }, { iv: '' }])
      assert.equal(await open(HERE, keks, change), undefined)
  })
})
