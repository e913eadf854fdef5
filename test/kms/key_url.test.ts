import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readKeyUrl } from '../../src/kms/key_url.ts'
import { readSigningKeySources } from '../../src/kms/remote_keyring.ts'

const plain = { alg: 'ES256', signsFrom: undefined, ciphertext: undefined }
const vault = { service: 'vault', origin: 'https://vault.example', mount: 'transit', name: 'mint' }
const aws = { service: 'awskms', region: 'eu-central-1', keyId: '1234abcd' }

describe('readKeyUrl', () => {
  const good: readonly [text: string, expected: object][] = [
    ['vault://vault.example/transit/mint', { key: vault, ...plain }],
    [
      'vault://Vault.Example:8200/team-a/transit/mint',
      { key: { ...vault, origin: 'https://vault.example:8200', mount: 'team-a/transit' }, ...plain },
    ],
    ['vault+http://127.0.0.1:8200/transit/mint', { key: { ...vault, origin: 'http://127.0.0.1:8200' }, ...plain }],
    ['vault+http://[::1]:8200/transit/mint', { key: { ...vault, origin: 'http://[::1]:8200' }, ...plain }],
    [
      'vault://vault.example/transit/mint?alg=RS256&signs_from=1800000000',
      { key: vault, ...plain, alg: 'RS256', signsFrom: 1_800_000_000 },
    ],
    [
      'vault://vault.example/transit/mint?ciphertext=vault:v1:a+b/c==',
      { key: vault, ...plain, ciphertext: 'vault:v1:a+b/c==' },
    ],
    [
      'vault://vault.example/transit/mint?ciphertext=vault%3Av1%3Aa%2Bb%2Fc%3D%3D',
      { key: vault, ...plain, ciphertext: 'vault:v1:a+b/c==' },
    ],
    ['awskms://eu-central-1/1234abcd', { key: aws, ...plain }],
    ['awskms://eu-central-1/alias/mint', { key: { ...aws, keyId: 'alias/mint' }, ...plain }],
    [
      'awskms://us-gov-west-1/arn:aws-us-gov:kms:us-gov-west-1:1:key/1',
      { key: { ...aws, region: 'us-gov-west-1', keyId: 'arn:aws-us-gov:kms:us-gov-west-1:1:key/1' }, ...plain },
    ],
  ]
  for (const [text, expected] of good) {
    test(`reads ${text}`, () => assert.deepEqual(readKeyUrl(text), expected))
  }

  const bad: readonly string[] = [
    'http://vault.example/transit/mint',
    'vault:vault.example/transit/mint',
    'vault://',
    'vault://vault.example',
    'vault://vault.example/mint',
    'vault://vault.example/transit/',
    'vault://vault.example//mint',
    'vault://vault.example/transit/%2e%2e/%2e%2e/sys/mint%20',
    'vault://vault.example/transit/mint%2fdecrypt',
    'vault://user:secret@vault.example/transit/mint',
    'vault://vault.example/transit/mint#secret',
    'vault+http://vault.example/transit/mint',
    'vault+http://127.0.0.1.vault.example/transit/mint',
    'vault://vault.example/transit/mint?alg=HS256',
    'vault://vault.example/transit/mint?alg=ES256&alg=RS256',
    'vault://vault.example/transit/mint?signs_from=tomorrow',
    'vault://vault.example/transit/mint?token=secret',
    'awskms://eu-central-1/',
    'awskms://evil.example/key',
    'awskms://eu-central-1:8080/key',
    'awskms://eu-central-1/key%00',
  ]
  for (const text of bad) {
    test(`refuses ${text}, and does not quote it`, () => {
      assert.throws(
        () => readKeyUrl(text),
        (error) => error instanceof TypeError && !/secret|evil/.test(error.message),
      )
    })
  }

  test('a path cannot leave the engine: dots are resolved before it is read', () => {
    const { key } = readKeyUrl('vault://vault.example/transit/../secret/mint')
    assert.deepEqual(key, { ...vault, mount: 'secret' })
  })
})

describe('readSigningKeySources', () => {
  test('reads several URLs, and a key set behind them', async () => {
    const { urls, localKeys } = await readSigningKeySources(
      ' vault://vault.example/transit/one?alg=RS256,\nawskms://eu-central-1/two  vault://vault.example/transit/three\n{"keys":[]}'.replace(
        '{"keys":[]}',
        '',
      ),
    )
    assert.deepEqual(
      urls.map(({ key, alg }) => [key.service, alg]),
      [
        ['vault', 'RS256'],
        ['awskms', 'ES256'],
        ['vault', 'ES256'],
      ],
    )
    assert.deepEqual(localKeys, [])
  })

  const bad: readonly [text: string, message: RegExp][] = [
    ['awskms://eu-central-1/alias/mint', /alias/],
    ['awskms://eu-central-1/arn:aws:kms:eu-central-1:1:alias/mint', /alias/],
    ['awskms://eu-central-1/key?alg=EdDSA', /EdDSA/],
    ['vault://vault.example/transit/mint?ciphertext=vault:v1:x', /KEY_ENCRYPTION_KEYS/],
    ['vault://vault.example/transit/mint\n{"keys":[]}', /no key/],
    ['vault://vault.example/transit/mint secret', /neither a private JWK Set/],
    [Array.from({ length: 9 }, (_, index) => `vault://vault.example/transit/k${index}`).join(), /more than 8/],
  ]
  for (const [text, message] of bad) {
    test(`refuses ${text.slice(0, 70)}`, () => assert.rejects(readSigningKeySources(text), message))
  }
})
