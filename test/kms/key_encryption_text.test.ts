import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { keyEncryptionProblem, readKeyEncryptionKeys } from '../../src/keys/key_encryption.ts'
import { keyEncryptionUrls, unwrapKeyEncryptionKeys } from '../../src/kms/key_encryption_text.ts'
import { readKeyUrl } from '../../src/kms/key_url.ts'
import type { KeyServiceOptions } from '../../src/kms/open_key.ts'
import { serviceTransport } from '../../src/kms/transport.ts'
import { wrapNewKey } from '../../src/kms/wrapped_key.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { AWS_CREDENTIALS, AWS_KEY, fakeAws } from '../support/aws_server.ts'
import { fakeVault, VAULT_KEY, VAULT_TOKEN } from '../support/vault_server.ts'
import { NOW } from '../support/world.ts'

const ISSUER = 'https://tokens.example'
const LOCAL = encodeBase64url(new Uint8Array(32).fill(7))

describe('unwrapKeyEncryptionKeys', () => {
  test('puts keys in the place of URLs of two services, and asks nothing before they are needed', async () => {
    const [vault, aws] = [await fakeVault('ES256', NOW), await fakeAws('ES256')]
    const call = serviceTransport({ fetch: (to, init) => (to.includes('vault') ? vault : aws).fetch(to, init) })
    const services: KeyServiceOptions = { credentials: { VAULT_TOKEN, ...AWS_CREDENTIALS }, call, now: () => NOW }
    const wrap = (url: string) => wrapNewKey(url, readKeyUrl(url), ISSUER, services)
    const text = `first:${await wrap(VAULT_KEY)}, local:${LOCAL},aws:${await wrap(AWS_KEY)}`
    assert.equal(keyEncryptionProblem(text), undefined)
    assert.deepEqual(
      keyEncryptionUrls(text).urls.map(({ key }) => key.service),
      ['vault', 'awskms'],
    )
    const find = unwrapKeyEncryptionKeys(text, ISSUER, services)
    assert.deepEqual([vault.paths.length, aws.operations.length], [1, 1])
    const unwrapped = await find()
    assert.match(unwrapped, new RegExp(`^first:[\\w-]{43},local:${LOCAL},aws:[\\w-]{43}$`))
    assert.equal(await find(), unwrapped)
    assert.deepEqual([vault.paths.length, aws.operations.length], [2, 2])
    const { first, keys } = await readKeyEncryptionKeys(unwrapped)
    assert.deepEqual([first, keys.size], ['first', 3])
  })

  for (const [text, message] of [
    [`a:${VAULT_KEY}`, /without a ciphertext/],
    ['a:vault://vault.example/mint?ciphertext=x', /path/],
  ] as const) {
    test(`refuses ${text}`, () => assert.throws(() => keyEncryptionUrls(text), message))
  }
})
