import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { settingWarnings } from '../src/setting_warnings.ts'

describe('settingWarnings', () => {
  for (const [name, meant] of [
    ['SIGNING_KEY', 'SIGNING_KEYS'],
    ['SIGNINGKEYS', 'SIGNING_KEYS'],
    ['signing_keys', 'SIGNING_KEYS'],
    ['ISUER', 'ISSUER'],
    ['ISSEUR', 'ISSUER'],
    ['STORE_URI', 'STORE_URL'],
    ['REGISTRATION_TOKENS', 'REGISTRATION_TOKEN'],
    ['ACCES_TOKEN_LIFETIME', 'ACCESS_TOKEN_LIFETIME'],
  ]) {
    test(`asks whether ${name} means ${meant}`, () => {
      assert.deepEqual(settingWarnings({ [name as string]: 'x' }), [`${name} is not a setting; did you mean ${meant}?`])
    })
  }

  test('does not suspect the variables of other programs, nor settings', () => {
    const names = [
      ...['HOSTNAME', 'HOSTS', 'HOSTTYPE', 'PORTS', 'POST', 'SPORT', 'DEVS', 'NODE_ENV', 'USER', 'SHELL'],
      ...[
        'ACCESS_TOKEN',
        'ACCESS_TOKEN_FILE',
        'REFRESH_TOKEN_LIFETIME',
        'STORAGE_URL',
        'EDGEMINT_PORT',
        'EDGEMINT_TOKEN',
      ],
      ...['ISSUER', 'STORE_URL', 'CACHE_SECONDS', 'CACHE_SECRET', 'CLIENTS', 'LEDGER'],
    ]
    assert.deepEqual(settingWarnings(Object.fromEntries(names.map((name) => [name, 'x']))), [])
  })

  test('does not suspect a name that is similar to a setting that has a value', () => {
    assert.deepEqual(settingWarnings({ SIGNING_KEYS: 'x', SIGNING_KEY: 'y' }), [])
    assert.equal(settingWarnings({ SIGNING_KEYS: '', SIGNING_KEY: 'y' }).length, 1)
  })

  test('warns of an issuer that ends with a slash', () => {
    assert.deepEqual(settingWarnings({ ISSUER: 'https://tokens.example' }), [])
    assert.match(
      settingWarnings({ ISSUER: 'https://tokens.example/' })[0] ?? '',
      /^ISSUER ends with a slash, so the iss /,
    )
  })
})
