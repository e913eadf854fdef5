import assert from 'node:assert/strict'
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { ALGORITHMS } from '../../src/keys/algorithms.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { generateKeyring, readKeyring, signingKeyOf } from '../../src/keys/keyring.ts'
import { rotate } from '../../src/keys/rotation.ts'
import type { PrivateJwk } from '../../src/keys/signing_key.ts'
import { NOW } from '../support/world.ts'

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const pairs = new Map([...ALGORITHMS.keys()].map((alg) => [alg, generateKeyPair(alg, { extractable: true })]))
async function privateJwk(alg: string): Promise<JWK> {
  const pair = await pairs.get(alg)
  assert.ok(pair !== undefined)
  return exportJWK(pair.privateKey)
}
const options = { lifetimeSeconds: 1800 }
const read = async (...keys: PrivateJwk[]) => {
  const keyring = await readKeyring(JSON.stringify({ keys }), options)
  const signing = keyring.at(NOW).signing()
  assert.ok(signing !== undefined)
  return { ...keyring, signing, jwks: keyring.at(NOW).published }
}
const mangle = (text = '') => text.slice(0, 20) + (text[20] === 'A' ? 'B' : 'A') + text.slice(21)

describe('readKeyring', () => {
  for (const alg of ALGORITHMS.keys()) {
    test(`reads an ${alg} key and publishes its public half only`, async () => {
      const jwk = await privateJwk(alg)
      const { signing, jwks } = await read({ ...jwk, alg })
      assert.equal(signing.alg, alg)
      assert.equal(signing.kid, await calculateJwkThumbprint(jwk))
      assert.equal(jwks.keys.length, 1)
      const [published = {}] = jwks.keys
      assert.equal(published.kid, signing.kid)
      assert.equal(published.use, 'sig')
      assert.equal(published.alg, alg)
      assert.ok(!PRIVATE_MEMBERS.some((member) => member in published))
      assert.ok(Object.values(signing).every((value) => !(value instanceof CryptoKey) || value.type === 'public'))
    })
  }

  for (const [alg, expected] of [
    ['RS256', 'RS256'],
    ['ES256', 'ES256'],
    ['ES384', 'ES384'],
    ['EdDSA', 'EdDSA'],
  ] as const) {
    test(`reads a PKCS#8 PEM as ${expected}`, async () => {
      const pair = await pairs.get(alg)
      assert.ok(pair !== undefined)
      const keyring = await readKeyring(`\n${await exportPKCS8(pair.privateKey)}\n`, options)
      assert.equal(keyring.at(NOW).signing()?.alg, expected)
      assert.deepEqual(keyring.algorithms, [expected])
    })
  }

  test('the first key signs, all are published, and their kids are kept', async () => {
    const { signing, jwks } = await read({ ...(await privateJwk('ES256')), kid: 'mine' }, await privateJwk('RS256'))
    assert.equal(signing.kid, 'mine')
    assert.equal(jwks.keys.length, 2)
  })

  test('takes "use" and "key_ops" that allow signing', async () => {
    await read({ ...(await privateJwk('RS256')), use: 'sig', key_ops: ['sign'], ext: true })
  })

  const refused: readonly [name: string, setting: () => Promise<string> | string, message: RegExp][] = [
    ['what is no JSON', () => 'secret{', /neither a private JWK Set/],
    [
      'a kid that is no text',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('ES256')), kid: 5 }] }),
      /neither a private/,
    ],
    [
      'an empty kid',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('ES256')), kid: '' }] }),
      /neither a private/,
    ],
    [
      'key_ops that is no list',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('ES256')), key_ops: 5 }] }),
      /neither a private/,
    ],
    [
      'a modulus that is no base64url',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), n: 'a b' }] }),
      /neither a private/,
    ],
    [
      'an RSA key without a modulus',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), n: undefined }] }),
      /RSA key of 1 bits/,
    ],
    [
      'an EC key without its point',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('ES256')), x: undefined }] }),
      /without its public members/,
    ],
    ['an empty set', () => '{"keys":[]}', /^holds no key$/],
    [
      'a JWK outside of a set',
      async () => JSON.stringify(await privateJwk('RS256')),
      /^is a single key; wrap it as \{"keys":\[…\]\}$/,
    ],
    [
      'a list',
      async () => JSON.stringify([await privateJwk('RS256')]),
      /^is a list of keys; wrap it as \{"keys":\[…\]\}$/,
    ],
    [
      'a public key outside of a set',
      async () => JSON.stringify({ ...(await privateJwk('RS256')), d: undefined }),
      /^is a public key: it has no private part/,
    ],
    ...['signing-keys.json', './keys/signing-key.pem', '/run/secrets/signing_keys', '~/key', 'C:\\keys.json'].map(
      (name): [string, () => string, RegExp] => [
        `the file name ${name}`,
        () => `${name}\n`,
        /^is a file name instead of the content of the file; use "\$\(cat FILE\)"$/,
      ],
    ),
    ['base64', () => 'bm90L2Ega2V5Lm5vdC9hIGtleQ', /nor a PKCS#8 PEM \(it is not JSON\)$/],
    [
      'a public key',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), d: undefined }] }),
      /^holds a public key: it has no private part/,
    ],
    [
      'a PEM of a public key',
      () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      /^is a public key: it has no private part$/,
    ],
    [
      'a PEM of another kind',
      () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      /not a PKCS#8 private key/,
    ],
    ['a symmetric key', () => '{"keys":[{"kty":"oct","k":"c2VjcmV0","d":"x"}]}', /do not fit an algorithm/],
    [
      'an alg that does not fit',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), alg: 'ES256' }] }),
      /do not fit an algorithm/,
    ],
    [
      'alg none',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), alg: 'none' }] }),
      /do not fit an algorithm/,
    ],
    [
      'use enc',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), use: 'enc' }] }),
      /"use" is not "sig"/,
    ],
    [
      'key_ops without sign',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), key_ops: ['verify'] }] }),
      /"key_ops" lacks "sign"/,
    ],
    [
      'a weak RSA key',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), n: `${'x'.repeat(170)}w` }] }),
      /RSA key of 1024 bits/,
    ],
    [
      'an RSA exponent of 3',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), e: 'Aw' }] }),
      /exponent below 65537/,
    ],
    [
      'an RSA key without its primes',
      async () => JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), p: undefined, q: undefined }] }),
      /cannot import|do not match/,
    ],
    [
      'an RSA modulus of another key',
      async () =>
        JSON.stringify({ keys: [{ ...(await privateJwk('RS256')), n: mangle((await privateJwk('PS256')).n) }] }),
      /cannot import|do not match/,
    ],
    [
      'an x of another key',
      async () =>
        JSON.stringify({ keys: [{ ...(await privateJwk('EdDSA')), x: mangle((await privateJwk('EdDSA')).x) }] }),
      /cannot import|do not match/,
    ],
    [
      'one key twice',
      async () => JSON.stringify({ keys: [await privateJwk('ES256'), await privateJwk('ES256')] }),
      /same kid/,
    ],
  ]
  for (const [name, setting, message] of refused) {
    test(`refuses ${name} and quotes nothing of it`, async () => {
      const text = await setting()
      await assert.rejects(readKeyring(text, options), (error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, message)
        assert.ok(!error.message.includes('secret'))
        assert.equal(error.cause, undefined)
        return true
      })
    })
  }
})

describe('generateKeyring', () => {
  test('makes another RSA-2048 key each time', async () => {
    const [one, two] = await Promise.all([generateKeyring(options), generateKeyring(options)])
    const key = one.at(NOW).signing()
    assert.equal(key?.alg, 'RS256')
    assert.equal(key?.publicJwk.n?.length, 342)
    assert.notEqual(key?.kid, two.at(NOW).signing()?.kid)
  })
})

describe('keys and their time', () => {
  const place = async (kid: string, alg: string, signs_from?: number): Promise<PrivateJwk> => ({
    ...(kid.startsWith('2')
      ? await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)
      : await privateJwk(alg)),
    kid,
    alg,
    ...(signs_from !== undefined && { signs_from }),
  })
  const kidsOf = ({ keys }: { keys: readonly JWK[] }) => keys.map(({ kid }) => kid)

  test('a key is announced, signs, is retired and expires: the second succeeds the first', async () => {
    const keyring = await read(await place('2', 'ES256', NOW + 100), await place('1', 'ES256'))
    for (const [after, signing, published] of [
      [0, '1', '2 1'],
      [99, '1', '2 1'],
      [100, '2', '2 1'],
      [100 + 1800 + 60, '2', '2 1'],
      [100 + 1800 + 61, '2', '2'],
    ] as const) {
      const instant = NOW + after
      assert.equal(keyring.at(instant).signing()?.kid, signing)
      assert.equal(kidsOf(keyring.at(instant).published).join(' '), published)
      const verifying = ['2', '1'].filter((kid) => keyring.at(instant).verifying(kid)?.kid === kid)
      assert.equal(verifying.join(' '), published, 'a published key verifies, and no other')
    }
  })

  test('verifying compares the whole kid, for every algorithm', async () => {
    const keyring = await read(await place('es', 'ES256'), await place('ed', 'EdDSA'))
    const { verifying } = keyring.at(NOW)
    assert.equal(verifying('es')?.alg, 'ES256')
    assert.equal(verifying('ed')?.alg, 'EdDSA')
    for (const kid of ['', 'e', 'ES', 'es ', 'undefined', 'constructor']) assert.equal(verifying(kid), undefined)
  })

  test('refuses two keys with the same kid, even if they differ otherwise', async () => {
    await assert.rejects(read(await place('1', 'ES256'), await place('1', 'EdDSA')), /same kid/)
    await assert.rejects(read(await place('1', 'ES256', NOW - 9999), await place('1', 'RS256', 0)), /same kid/)
  })

  test('signingKeyOf throws while no key of the algorithm signs', async () => {
    const keyring = await read(await place('es', 'ES256', NOW + 100), await place('rs', 'RS256'))
    assert.equal(signingKeyOf(keyring.at(NOW)).kid, 'rs')
    assert.equal(signingKeyOf(keyring.at(NOW), 'RS256').kid, 'rs')
    assert.equal(signingKeyOf(keyring.at(NOW + 100), 'ES256').kid, 'es')
    for (const alg of ['ES256', 'EdDSA', '']) {
      assert.throws(
        () => signingKeyOf(keyring.at(NOW), alg),
        (error) => error instanceof OAuthError && error.status === 503 && error.reason === 'signing_alg_missing',
      )
    }
  })

  test('a key is succeeded only by a key of its own algorithm; the first that signs is the default', async () => {
    const keys = [await place('es', 'ES256', NOW + 100), await place('rs', 'RS256'), await place('ed', 'EdDSA')]
    const keyring = await read(...keys)
    const { signing } = keyring.at(NOW)
    assert.deepEqual(keyring.algorithms, ['ES256', 'RS256', 'EdDSA'])
    assert.equal(signing()?.kid, 'rs')
    assert.equal(signing('EdDSA')?.kid, 'ed')
    assert.equal(signing('ES256'), undefined)
    assert.equal(signing('PS256'), undefined)
    assert.equal(keyring.at(NOW + 100).signing()?.kid, 'es')
    assert.equal(kidsOf(keyring.at(NOW + 1_000_000).published).length, 3)
  })

  test('a set of announced keys is published, and signs from its start time', async () => {
    const keyring = await readKeyring(JSON.stringify({ keys: [await place('1', 'ES256', NOW + 1)] }), options)
    assert.throws(() => signingKeyOf(keyring.at(NOW)), { status: 503, reason: 'signing_key_missing' })
    assert.throws(() => signingKeyOf(keyring.at(NOW + 1), 'RS256'), { status: 503, reason: 'signing_alg_missing' })
    assert.equal(signingKeyOf(keyring.at(NOW + 1)).kid, '1')
    assert.deepEqual(kidsOf(keyring.at(NOW).published), ['1'])
  })

  test('refuses a malformed signs_from', async () => {
    await assert.rejects(read(await place('1', 'ES256', -1)), /neither a private JWK Set/)
    await assert.rejects(read(await place('1', 'ES256', 1.5)), /neither a private JWK Set/)
  })
})

describe('rotate', () => {
  const rotation = { alg: 'ES256', announceSeconds: 100, retiredSeconds: 1800, now: NOW }

  test('puts a new key in front of its predecessor, and removes expired keys', async () => {
    const first = [await generateKey('RS256'), await generateKey('ES256')]
    const second = await rotate(first, rotation)
    assert.deepEqual(
      second.map(({ kid }) => kid),
      [first[0]?.kid, second[1]?.kid, first[1]?.kid],
    )
    assert.equal(second[1]?.signs_from, NOW + 100)
    assert.equal((await read(...second)).signing.kid, first[0]?.kid)
    const third = await rotate(second, { ...rotation, now: NOW + 100 + 1801 })
    assert.deepEqual(
      third.map(({ kid }) => kid),
      [first[0]?.kid, third[1]?.kid, second[1]?.kid],
    )
  })

  test('appends the first key of an algorithm, which signs at once', async () => {
    const rotated = await rotate([await generateKey('RS256')], { ...rotation, alg: 'EdDSA' })
    assert.deepEqual(
      rotated.map(({ alg, signs_from }) => [alg, signs_from]),
      [
        ['RS256', undefined],
        ['EdDSA', undefined],
      ],
    )
  })
})
