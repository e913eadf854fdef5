import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { ASSERTION_ALGORITHMS } from '../../src/assertions/algorithms.ts'
import { readMetadata } from '../../src/clients/metadata.ts'
import { OAuthError } from '../../src/errors.ts'
import { base64Of, leaf, self } from '../support/certificates.ts'
import { EXPONENTS } from '../support/weak_keys.ts'

const OFFER = {
  grantTypes: ['client_credentials'],
  authMethods: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
}
const SELF_THUMBPRINT = 'FMkhK7s5EL3PE162gOfFqGq01cL1naos30yFLwshujs'

async function make(alg: string): Promise<Record<string, unknown>> {
  const { publicKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(publicKey)) }
}
const [rsa = {}, p256 = {}, ed25519 = {}] = await Promise.all(['RS256', 'ES256', 'EdDSA'].map(make))

/** Returns the member that a refusal names, undefined when the metadata is accepted. */
async function refusalOf(metadata: Record<string, unknown>): Promise<string | undefined> {
  try {
    await readMetadata(metadata, OFFER)
    return undefined
  } catch (error) {
    assert.ok(error instanceof OAuthError && error.code === 'invalid_client_metadata')
    return /^[\w.]+(?=:)/.exec(error.message)?.[0]
  }
}

describe('names of certificates', () => {
  const names: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
    tls_client_auth_subject_dn: {
      good: ['CN=a', 'CN=a+OU=b,O=c', 'CN=\\,', '2.5.4.3=a', 'CN=a, O=b'],
      bad: ['a', ',', '\\', ' ', 'CN=a,', ',CN=a', 'CN=a,,O=b', 'CN=a++OU=b', 'CN=a\\', 'XX=a'],
    },
    tls_client_auth_san_dns: {
      good: [
        'a',
        'svc.example',
        'SVC.example',
        '_svc.a-b.example',
        '1.example',
        'xn--bcher-kva.example',
        'a'.repeat(63),
      ],
      bad: [
        '*.example',
        '.example',
        'a.',
        'a..b',
        '-a',
        'a-',
        'bücher.example',
        'a b',
        'a\n',
        'a/b',
        'a:1',
        'a'.repeat(64),
        'a.'.repeat(127),
      ],
    },
    tls_client_auth_san_uri: {
      good: ['spiffe://example/svc', 'urn:example:svc', 'https://a.example/b?c#d'],
      bad: [
        'svc',
        '//example/svc',
        'spiffe:',
        ':a',
        'a b:c',
        'urn:example:a b',
        'urn:example:ü',
        'https://',
        'urn:a\n',
        '1a:b',
      ],
    },
    tls_client_auth_san_ip: {
      good: ['10.0.0.1', '2001:db8::1', '2001:DB8:0:0:0:0:0:1', '::ffff:10.0.0.1'],
      bad: [
        '010.0.0.1',
        '10.1',
        '10',
        '012.0.0.7',
        '10.0.0.1/32',
        '[::1]',
        'fe80::1%eth0',
        'svc.example',
        '10.0.0.256',
        ' 10.0.0.1',
      ],
    },
    tls_client_auth_san_email: {
      good: ['svc@example.com', 'a+b@example.com', 'a@b'],
      bad: [
        'svc',
        '@example.com',
        'a@',
        'a@b@c',
        'a b@example.com',
        'ü@example.com',
        'a@*.example',
        'a@b\n',
        `${'a'.repeat(65)}@b`,
      ],
    },
  }
  for (const [member, { good, bad }] of Object.entries(names)) {
    for (const method of ['tls_client_auth', 'client_secret_basic']) {
      test(`${member} with ${method}`, async () => {
        const metadata = (name: string) => ({ token_endpoint_auth_method: method, [member]: name })
        for (const name of good) assert.equal(await refusalOf(metadata(name)), undefined, name)
        for (const name of [...bad, '', 'x'.repeat(513)]) assert.equal(await refusalOf(metadata(name)), member, name)
      })
    }
  }

  test('tls_client_auth takes exactly one', async () => {
    const method = { token_endpoint_auth_method: 'tls_client_auth' }
    assert.equal(await refusalOf(method), 'token_endpoint_auth_method')
    const [one, two] = [{ tls_client_auth_san_dns: 'a' }, { tls_client_auth_san_ip: '10.0.0.1' }]
    assert.equal(await refusalOf({ ...method, ...one }), undefined)
    assert.equal(await refusalOf({ ...method, ...one, ...two }), 'token_endpoint_auth_method')
    assert.equal(await refusalOf({ ...one, ...two }), undefined)
  })
})

describe('keys', () => {
  const keyed = (keys: object[], alg?: string) => ({
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys },
    ...(alg !== undefined && { token_endpoint_auth_signing_alg: alg }),
  })
  const JWKS = 'jwks'
  const ALG = 'token_endpoint_auth_signing_alg'

  for (const [e, isGood] of EXPONENTS.filter(([text, good]) => !good || text === 'AQAB')) {
    test(`an RSA key whose e is ${JSON.stringify(e)}`, async () => {
      assert.equal(await refusalOf(keyed([{ ...rsa, e }])), isGood ? undefined : JWKS)
      assert.equal(await refusalOf(keyed([p256, { ...rsa, e }])), isGood ? undefined : JWKS)
    })
  }

  const pairs: readonly [name: string, keys: object[], alg: string | undefined, refused: string | undefined][] = [
    ['any that fits', [rsa, p256, ed25519], undefined, undefined],
    ['RS256 for an RSA key', [rsa], 'RS256', undefined],
    ['PS512 for an RSA key', [rsa], 'PS512', undefined],
    ['ES256 for one of several keys', [rsa, p256], 'ES256', undefined],
    ['ES256 for an RSA key', [rsa], 'ES256', ALG],
    ['ES384 for a key of P-256', [p256], 'ES384', ALG],
    ['RS256 for a key of P-256', [p256], 'RS256', ALG],
    ['EdDSA for a key of P-256', [p256], 'EdDSA', ALG],
    ['PS256 for a key of RS256', [{ ...rsa, alg: 'RS256' }], 'PS256', ALG],
    ['RS256 for a key of RS256', [{ ...rsa, alg: 'RS256' }], 'RS256', undefined],
    ['EdDSA for a key of EdDSA', [{ ...ed25519, alg: 'EdDSA' }], 'EdDSA', undefined],
    ['EdDSA for a key of Ed25519', [{ ...ed25519, alg: 'Ed25519' }], 'EdDSA', undefined],
    ['Ed25519 for a key of EdDSA', [{ ...ed25519, alg: 'EdDSA' }], 'Ed25519', undefined],
    ['a key of another alg than its type', [{ ...p256, alg: 'RS256' }], undefined, JWKS],
    ['a key of an unknown alg', [{ ...rsa, alg: 'RSA-OAEP' }], undefined, JWKS],
    ['a key for encryption', [{ ...p256, use: 'enc' }], undefined, JWKS],
    ['a key of another curve', [{ ...ed25519, crv: 'X25519' }], undefined, JWKS],
    ['an algorithm that is not offered', [rsa], 'HS256', ALG],
  ]
  for (const [name, keys, alg, refused] of pairs) {
    test(`${refused === undefined ? 'accepts' : 'refuses'} ${name}`, async () => {
      assert.equal(await refusalOf(keyed(keys, alg)), refused)
    })
  }

  test('a jwks_uri goes with any algorithm, for its keys are not there yet', async () => {
    const metadata = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://keys.example/jwks' }
    for (const alg of OFFER.signingAlgs) assert.equal(await refusalOf({ ...metadata, [ALG]: alg }), undefined)
  })

  test('an algorithm has no effect with a method that signs nothing, and is kept', async () => {
    const metadata = { token_endpoint_auth_method: 'client_secret_basic', [ALG]: 'ES256' }
    assert.equal((await readMetadata(metadata, OFFER)).token_endpoint_auth_signing_alg, 'ES256')
    assert.equal(await refusalOf({ ...metadata, jwks: { keys: [rsa] } }), undefined)
  })
})

describe('certificates', () => {
  const carried = (key: object) => ({
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [key] },
  })
  const x5c = [base64Of(self.certificate)]
  const good: readonly object[] = [
    { kty: 'EC', x5c },
    { kty: 'EC', x5c: [...x5c, base64Of(leaf.certificate)] },
    { 'x5t#S256': SELF_THUMBPRINT },
    { x5c, 'x5t#S256': SELF_THUMBPRINT },
  ]
  const bad: readonly object[] = [
    ...[
      {},
      { kty: 'EC' },
      { x5c: [] },
      { x5c: [7] },
      { x5c: 'AAAA' },
      { x5c: ['?'] },
      { x5c: ['AAAA'] },
      { x5c: null },
    ],
    ...[{ x5c: [x5c[0]?.slice(0, 400)] }, { x5c: [self.certificate] }, { x5c: [` ${x5c[0]}`] }],
    ...['', 'AAAA', `${SELF_THUMBPRINT}=`, SELF_THUMBPRINT.slice(1), 7, null].map((each) => ({ 'x5t#S256': each })),
    { x5c: [base64Of(leaf.certificate)], 'x5t#S256': SELF_THUMBPRINT },
    { x5c: ['?'], 'x5t#S256': SELF_THUMBPRINT },
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((member) => ({ x5c, [member]: 'AAAA' })),
  ]
  for (const key of good) {
    test(`accepts ${JSON.stringify(key).slice(0, 60)}`, async () =>
      assert.equal(await refusalOf(carried(key)), undefined))
  }
  for (const key of bad) {
    test(`refuses ${JSON.stringify(key).slice(0, 60)}`, async () => assert.equal(await refusalOf(carried(key)), 'jwks'))
  }
})

describe('bounds', () => {
  const size = (characters: number) => ({ a: 'x'.repeat(characters - JSON.stringify({ a: '' }).length) })
  const url = (characters: number) => 'https://a.example/'.padEnd(characters, 'a')
  const bounds: readonly [member: string, good: readonly unknown[], bad: readonly unknown[]][] = [
    ['access_token_lifetime', [1, 2_592_000], [0, -1, 1.5, 2_592_001]],
    ['claims', [{}, size(4096), { a: 1, b: 2 }], [size(4097), { a: 1, sub: 'b' }, { sub: 'b', a: 1 }, 'a', [], [1]]],
    ['client_name', ['x', 'x'.repeat(200)], ['', 'x'.repeat(201), ' x', 7]],
    ['client_uri', [url(2048), 'http://a.example'], [url(2049), 'ftp://a.example', 'a.example', 'https:', '']],
    [
      'jwks_uri',
      [url(2048)],
      [url(2049), 'a', 'https://', 'https://u@a.example', 'https://:p@a.example', 'https://u:p@a.example'],
    ],
    ['scope', ['', 'x'.repeat(8192), 'a b'], ['x'.repeat(8193), 'a"', 'a\\', 'a\n', 'ü']],
    ['contacts', [[], Array(20).fill('a')], [Array(21).fill('a'), 'a', ['']]],
    [
      'grant_types',
      [[], ['client_credentials'], Array(20).fill('client_credentials')],
      [Array(21).fill('client_credentials'), [7]],
    ],
    [
      'grant_types',
      [],
      [
        ['client_credentials', 'password'],
        ['password', 'client_credentials'],
      ],
    ],
    ['resources', [[], Array(100).fill('urn:a')], [Array(101).fill('urn:a'), ['a'], ['urn:a', 'urn:a#b']]],
    ['tls_client_auth_san_uri', [`urn:${'a'.repeat(508)}`], [`urn:${'a'.repeat(509)}`]],
    [
      'token_endpoint_auth_method',
      ['none', 'client_secret_basic'],
      ['x', 'x'.repeat(101), '', 'client_secret_jwt', '__proto__'],
    ],
    ['response_types', [[]], [['token'], ['code'], 'code']],
    ...['introspection', 'disabled', 'dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens'].map(
      (member): [string, unknown[], unknown[]] => [member, [true, false], ['true', 0, null]],
    ),
  ]
  for (const [member, good, bad] of bounds) {
    test(`${member}, ${good.length} accepted and ${bad.length} refused`, async () => {
      for (const value of good) assert.equal(await refusalOf({ [member]: value }), undefined, JSON.stringify(value))
      for (const value of bad) {
        const refused = await refusalOf({ [member]: value })
        assert.match(refused ?? '', new RegExp(`^${member}(\\.\\d+)?$`), JSON.stringify(value))
      }
    })
  }

  test('each default scope is within one of the patterns', async () => {
    const scope = 'read users.* api.*.list'
    for (const default_scope of ['', 'read', 'users.a read', 'api.b.list users.a.b']) {
      assert.equal(await refusalOf({ scope, default_scope }), undefined, default_scope)
    }
    for (const default_scope of ['write', 'read write', 'users.*', 'api.*.list', 'api.list']) {
      assert.equal(await refusalOf({ scope, default_scope }), 'default_scope', default_scope)
    }
    assert.equal(await refusalOf({ default_scope: 'read' }), 'default_scope')
  })

  test('without a method a client authenticates by secret, so a way to send one has to be offered', async () => {
    const offered = (...authMethods: string[]) => readMetadata({}, { ...OFFER, authMethods })
    for (const method of ['client_secret_basic', 'client_secret_post']) {
      assert.equal((await offered('private_key_jwt', method)).token_endpoint_auth_method, undefined)
    }
    await assert.rejects(offered('private_key_jwt'), /^OAuthError: token_endpoint_auth_method: must be one of: /)
  })

  test('ignores unknown members, also those of the prototype', async () => {
    const given = JSON.parse('{"__proto__":{"introspection":true},"constructor":1,"client_secret":"a","foo":{}}')
    assert.deepEqual(await readMetadata(given, OFFER), { grant_types: ['client_credentials'] })
    assert.equal((await readMetadata(given, OFFER)).introspection, undefined)
  })
})
