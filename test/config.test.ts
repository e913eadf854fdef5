import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readConfig } from '../src/config.ts'
import { readAddress } from '../src/listen_address.ts'

const needed = { ISSUER: 'https://tokens.example', SIGNING_KEYS: 'key' }
const DEVELOPMENT_STORE = 'sqlite:.edgemint/development.db'
const defaults = {
  issuer: 'https://tokens.example',
  signingKeys: 'key',
  keyEncryptionKeys: undefined,
  rotationSeconds: 30 * 86_400,
  signingAlgs: ['ES256'],
  accessTokenLifetime: 1800,
  accessTokenProfile: 'rfc9068',
  cacheSeconds: 30,
  clientAssertionLifetime: 3600,
  registrationToken: undefined,
  introspectionsPerMinute: 60_000,
  dpopNonceRequired: false,
  trustedProxies: [],
  clientCertVerified: false,
  securityContacts: [],
  storeUrl: 'sqlite:.edgemint/edgemint.db',
  tokenReuseSeconds: 0,
  auditLog: 'all',
  dev: false,
}

describe('readConfig', () => {
  test('states the defaults', () => assert.deepEqual(readConfig(needed), defaults))

  test('takes an empty variable for an absent one and passes over others', () => {
    const environment = { ...needed, ACCESS_TOKEN_LIFETIME: '', DEV: '', HOME: '/root', CLIENTS: {} }
    assert.deepEqual(readConfig(environment), defaults)
  })

  test('development needs nothing', () => {
    assert.deepEqual(readConfig({ DEV: 'true' }), {
      ...defaults,
      issuer: undefined,
      signingKeys: undefined,
      storeUrl: DEVELOPMENT_STORE,
      dev: true,
    })
  })

  test('either kind of keys is enough', () => {
    const { ISSUER } = needed
    const KEY_ENCRYPTION_KEYS = `1:${'A'.repeat(43)}`
    const config = readConfig({ ISSUER, KEY_ENCRYPTION_KEYS, KEY_ROTATION_DAYS: 'off', SIGNING_ALG: 'RS256, EdDSA' })
    assert.deepEqual(config, {
      ...defaults,
      signingKeys: undefined,
      keyEncryptionKeys: KEY_ENCRYPTION_KEYS,
      rotationSeconds: undefined,
      signingAlgs: ['RS256', 'EdDSA'],
    })
  })

  test('a period in seconds is for tests', () => {
    const seconds = { ...needed, KEY_ROTATION_SECONDS: '60' }
    const problem = 'is for tests: it needs an ISSUER on a loopback host'
    assert.deepEqual(readConfig(seconds), [{ setting: 'KEY_ROTATION_SECONDS', problem }])
    const local = readConfig({ ...seconds, ISSUER: 'http://localhost:8080' })
    assert.ok('rotationSeconds' in local && local.rotationSeconds === 60)
  })

  for (const [setting, value] of [
    ['KEY_ENCRYPTION_KEYS', 'AAAA'],
    ['KEY_ENCRYPTION_KEYS', `1:${'A'.repeat(43)},1:${'B'.repeat(42)}A`],
    ['KEY_ROTATION_DAYS', '401'],
    ['KEY_ROTATION_DAYS', '1.5'],
    ['KEY_ROTATION_DAYS', '0'],
    ['KEY_ROTATION_DAYS', '-1'],
    ['SIGNING_ALG', 'HS256'],
    ['SIGNING_ALG', 'ES256,ES256'],
    ['SIGNING_ALG', 'none'],
  ] as const) {
    test(`refuses ${setting}=${value}, and does not quote it`, () => {
      const problems = readConfig({ ...needed, [setting]: value })
      assert.ok(Array.isArray(problems) && problems.length === 1)
      assert.equal(problems[0].setting, setting)
      if (setting === 'KEY_ENCRYPTION_KEYS') assert.ok(!problems[0].problem.includes(value.slice(-8)))
    })
  }

  test('names every setting that is missing', () => {
    assert.deepEqual(readConfig({}), [
      { setting: 'ISSUER', problem: 'is missing' },
      { setting: 'SIGNING_KEYS', problem: 'is missing' },
    ])
    assert.deepEqual(readConfig({ DEV: 'false', ISSUER: 'https://a.example' }), [
      { setting: 'SIGNING_KEYS', problem: 'is missing' },
    ])
  })

  for (const issuer of [
    'https://a.example',
    'https://a.example/',
    'https://a.example/t/1',
    'https://a.example:8443',
    'http://localhost:8080',
    'http://127.0.0.1',
    'http://[::1]:1',
  ]) {
    test(`takes the issuer ${issuer}`, () => {
      const config = readConfig({ ...needed, ISSUER: issuer })
      assert.ok('issuer' in config && config.issuer === issuer)
    })
  }

  const malformed: readonly [setting: string, value: string, problem: RegExp][] = [
    ['ISSUER', 'tokens.example', /must be a URL/],
    ['REGISTRATION_TOKEN', 'short', /at least 32 characters/],
    ['REGISTRATION_TOKEN', `${'x'.repeat(40)} x`, /at least 32 characters/],
    ['STORE_URL', 'sqlite::memory:', /must be sqlite:PATH/],
    ['TRUSTED_PROXIES', '10.0.0.5, proxy.example', /must be comma-separated IP addresses and CIDR ranges/],
    ...[
      '010.9.9.9',
      '10.9',
      '10',
      '10.0.0.1,',
      '0x0a.0.0.1',
      '10.0.0.0/08',
      '[::1]',
      'fe80::1%eth0',
      '::ffff:0:0/95',
    ].map((value): [string, string, RegExp] => [
      'TRUSTED_PROXIES',
      value,
      /four decimal numbers without leading zeros/,
    ]),
    ['TRUSTED_PROXIES', '10.0.0.0/33', /must be comma-separated IP addresses and CIDR ranges/],
    ...[
      'security@tokens.example',
      'mailto:',
      'mailto:security',
      'mailto:a@b@c',
      'http://tokens.example',
      'https://',
      'javascript:alert(1)',
      'tel:',
      'tel:help',
      'mailto:a@tokens.example,',
      'mailto:a@tokens.example b@tokens.example',
      'mailto:a@tokens.example\nPolicy: https://other.example',
      'mailto:sécurité@tokens.example',
    ].map((value): [string, string, RegExp] => ['SECURITY_CONTACT', value, /^must be comma-separated URIs/]),
    ['CLIENT_CERT_VERIFIED', 'maybe', /must be true or false/],
    ['ISSUER', 'http://tokens.example', /must be https/],
    ['ISSUER', 'http://localhost.example', /must be https/],
    ['ISSUER', 'ftp://tokens.example', /must be https/],
    ['ISSUER', 'https://user@tokens.example', /without a user/],
    ['ISSUER', 'https://tokens.example?a=1', /no query/],
    ['ISSUER', 'https://tokens.example/?', /no query/],
    ['ISSUER', 'https://tokens.example/a#', /no fragment/],
    ['ISSUER', 'https://tokens.example#a', /no fragment/],
    ['ISSUER', 'https://TOKENS.example', /normal form/],
    ['ISSUER', 'https://tokens.example:443', /normal form/],
    ['ISSUER', ' https://tokens.example', /normal form/],
    ['ACCESS_TOKEN_LIFETIME', '-1', /whole number/],
    ['ACCESS_TOKEN_LIFETIME', '0', /at least 1/],
    ['ACCESS_TOKEN_LIFETIME', '1.5', /whole number/],
    ['ACCESS_TOKEN_LIFETIME', '30m', /whole number/],
    ['ACCESS_TOKEN_LIFETIME', '2592001', /at most 2592000/],
    ['ACCESS_TOKEN_LIFETIME', '99999999999', /whole number/],
    ['TOKEN_REUSE_SECONDS', '-1', /whole number/],
    ['TOKEN_REUSE_SECONDS', '301', /at most 300/],
    ['AUDIT_LOG', 'none', /one of all, refusals, off/],
    ['ACCESS_TOKEN_PROFILE', 'constructor', /one of rfc9068, fosite/],
    ['STORE_URL', 'postgres://x', /must be sqlite:PATH, redis/],
    ['STORE_URL', 'sqlite:', /must be sqlite:PATH, redis/],
    ...['sqlite://user:hush@host/db', 'sqlite:///var/lib/edgemint.db', 'sqlite: x', 'sqlite:x ', 'denokv: x'].map(
      (url): [string, string, RegExp] => [
        'STORE_URL',
        url,
        /^must have the path of a file right after sqlite: or denokv:/,
      ],
    ),
    ['STORE_URL', 'redis:', /must be sqlite:PATH, redis/],
    ['STORE_URL', 'redis://', /must be sqlite:PATH, redis/],
    ['CACHE_SECONDS', '3601', /at most 3600/],
    ['PORT', '65536', /at most 65535/],
    ['PORT', 'http', /whole number/],
    ['DEV', 'yes', /true or false/],
  ]
  for (const [setting, value, problem] of malformed) {
    test(`refuses ${setting}=${value}`, () => {
      const problems = readConfig({ ...needed, [setting]: value })
      assert.ok(Array.isArray(problems))
      assert.equal(problems.length, 1)
      assert.equal(problems[0].setting, setting)
      assert.match(problems[0].problem, problem)
    })
  }

  test('takes addresses and ranges of trusted proxies, spaces around them', () => {
    const TRUSTED_PROXIES = '10.0.0.5, 192.0.2.0/24 ,2001:db8::/32,::ffff:10.9.9.9/128'
    const config = readConfig({ ...needed, TRUSTED_PROXIES })
    const ranges = ['10.0.0.5', '192.0.2.0/24', '2001:db8::/32', '::ffff:10.9.9.9/128']
    assert.deepEqual('trustedProxies' in config && config.trustedProxies, ranges)
  })

  test('takes contacts of each scheme, spaces around them', () => {
    const SECURITY_CONTACT =
      'mailto:security@tokens.example?subject=edgemint, https://tokens.example/a?b ,tel:+1-201-555-0123'
    const config = readConfig({ ...needed, SECURITY_CONTACT })
    const contacts = [
      'mailto:security@tokens.example?subject=edgemint',
      'https://tokens.example/a?b',
      'tel:+1-201-555-0123',
    ]
    assert.deepEqual('securityContacts' in config && config.securityContacts, contacts)
  })

  for (const url of [
    'redis://localhost',
    'redis://localhost:6379/2',
    'redis://localhost/',
    'redis://:S3cret@[::1]:6379',
    'rediss://user:S3cret%23%2F%3F@redis.example:6380/0',
    'redis://user:p@ss@localhost',
  ]) {
    test(`takes STORE_URL=${url}`, () => {
      const config = readConfig({ ...needed, STORE_URL: url })
      assert.ok('storeUrl' in config && config.storeUrl === url)
    })
  }

  for (const url of [
    'redis://user:S3cret#Pass@127.0.0.1:6379',
    'redis://user:S3cret/Pass@127.0.0.1:6379',
    'redis://user:S3cret?Pass@127.0.0.1:6379',
    'redis://user:S3cret\\Pass@127.0.0.1:6379',
    'redis://user:S3cret Pass@127.0.0.1:6379',
    'redis://user:S3cret%Pass@127.0.0.1:6379',
    'redis://user:12/S3cret@127.0.0.1',
    'redis://user:12#S3cret@127.0.0.1',
    'redis://user:S3cret@127.0.0.1:65536',
    'redis://user:S3cret@127.0.0.1:port',
    'redis://user:S3cret@',
    'redis://user:S3cret@/0',
    'redis://user:S3cret@127.0.0.1/zero',
    'rediss://user:S3cret@127.0.0.1:6379/0?tls=1',
  ]) {
    test(`refuses STORE_URL=${url} without quoting it`, () => {
      const problems = readConfig({ ...needed, STORE_URL: url })
      assert.ok(Array.isArray(problems))
      assert.deepEqual(
        problems.map(({ setting }) => setting),
        ['STORE_URL'],
      )
      assert.match(problems[0].problem, /^must be redis:\/\/USER:PASSWORD@HOST/)
      assert.ok(!problems[0].problem.includes('S3cret'))
    })
  }

  test('development does not go with the settings of production', () => {
    for (const name of ['ISSUER', 'SIGNING_KEYS', 'KEY_ENCRYPTION_KEYS'] as const) {
      const values = { ...needed, KEY_ENCRYPTION_KEYS: `1:${'A'.repeat(43)}` }
      const problems = readConfig({ DEV: 'true', [name]: values[name] })
      assert.deepEqual(problems, [
        { setting: 'DEV', problem: 'must not be set together with ISSUER, SIGNING_KEYS or KEY_ENCRYPTION_KEYS' },
      ])
    }
  })

  test('reads the numbers and booleans of a Worker, and refuses its objects', () => {
    const config = readConfig({ DEV: true, ACCESS_TOKEN_LIFETIME: 60 })
    assert.ok('dev' in config && config.dev && config.accessTokenLifetime === 60)
    for (const bad of [-5, 1.5, {}, [60], null]) {
      const problems = readConfig({ ...needed, ACCESS_TOKEN_LIFETIME: bad })
      assert.ok(Array.isArray(problems) && problems[0].setting === 'ACCESS_TOKEN_LIFETIME', JSON.stringify(bad))
    }
  })

  test('names every malformed setting at once', () => {
    const problems = readConfig({ DEV: 'yes', PORT: 'x' })
    assert.ok(Array.isArray(problems))
    assert.deepEqual(problems.map(({ setting }) => setting).sort(), ['DEV', 'PORT'])
  })
})

describe('readAddress', () => {
  const addresses: readonly [environment: Record<string, unknown>, expected: object | undefined][] = [
    [{}, { port: 8080 }],
    [{ PORT: '', HOST: '' }, { port: 8080 }],
    [
      { PORT: '9000', HOST: '::1' },
      { port: 9000, hostname: '::1' },
    ],
    [
      { HOST: 'tokens.internal', ISSUER: 'nonsense' },
      { port: 8080, hostname: 'tokens.internal' },
    ],
    [{ DEV: 'true' }, { port: 8080, hostname: '127.0.0.1' }],
    [
      { DEV: 'true', ISSUER: 'https://tokens.example' },
      { port: 8080, hostname: '127.0.0.1' },
    ],
    [
      { DEV: 'true', HOST: '::1' },
      { port: 8080, hostname: '::1' },
    ],
    [{ DEV: 'nonsense' }, { port: 8080 }],
    [{ PORT: '-1' }, undefined],
    [{ PORT: '65536' }, undefined],
    [{ HOST: '10.0.0.1:80' }, undefined],
    [{ HOST: 'http://a' }, undefined],
    // As readConfig refuses it.
    [{ DEV: 'true', HOST: '0.0.0.0' }, undefined],
    [
      { DEV: 'true', HOST: '0.0.0.0', ISSUER: 'https://tokens.example.com' },
      { port: 8080, hostname: '0.0.0.0' },
    ],
  ]
  for (const [environment, expected] of addresses) {
    test(`of ${JSON.stringify(environment)} is ${JSON.stringify(expected) ?? 'none'}`, () => {
      assert.deepEqual(readAddress(environment), expected)
    })
  }
})

describe('development', () => {
  test('has a database of its own', () => {
    const urls = [needed, { DEV: 'true' }].map((environment) => {
      const config = readConfig(environment)
      return 'storeUrl' in config && config.storeUrl
    })
    assert.deepEqual(urls, ['sqlite:.edgemint/edgemint.db', 'sqlite:.edgemint/development.db'])
  })

  test('listens on loopback addresses only', () => {
    for (const HOST of ['localhost', '127.0.0.1', '::1']) assert.ok('dev' in readConfig({ DEV: 'true', HOST }), HOST)
    const problem = { setting: 'HOST', problem: 'must be a loopback address in development' }
    for (const HOST of ['0.0.0.0', '::', 'tokens.internal', '192.0.2.1'])
      assert.deepEqual(readConfig({ DEV: 'true', HOST }), [problem])
  })
})
