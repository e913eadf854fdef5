import assert from 'node:assert/strict'
import { base64url, type JWTPayload } from 'jose'
import { describe, test } from '#test'
import { generateKey } from '../../src/keys/key_set.ts'
import { type FixedKeyring, readKeyring } from '../../src/keys/keyring.ts'
import type { PrivateJwk, SigningKey } from '../../src/keys/signing_key.ts'
import { type AccessToken, signAccessToken } from '../../src/tokens/access_token.ts'
import { audiencesOf, type OwnToken, readOwnToken, scopeOf } from '../../src/tokens/own_token.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { ISSUER, NOW } from '../support/world.ts'

const LIFETIME = 1800
const keyringOf = (...keys: PrivateJwk[]): Promise<FixedKeyring> =>
  readKeyring(JSON.stringify({ keys }), { lifetimeSeconds: LIFETIME })

const [rs, es, next] = await Promise.all([generateKey('RS256'), generateKey('ES256'), generateKey('RS256', NOW + 100)])
const keyring = await keyringOf(next, rs, es)
const [rsKey, esKey] = ['RS256', 'ES256'].map((alg) => keyring.at(NOW).signing(alg)) as [SigningKey, SigningKey]

const claims = { iss: ISSUER, sub: 's', aud: 'a', client_id: 'c', iat: NOW, exp: NOW + 60, jti: 'j' }
const read = (jws: string, now = NOW, ring = keyring) => readOwnToken(jws, { keyring: ring, issuer: ISSUER, now })
const own = (more: Record<string, unknown> = {}, typ = 'at+jwt', key = rsKey) =>
  signJwt({ ...claims, ...more } as JWTPayload, typ, key)

/** Signs with the given header. */
const sign = async (header: Record<string, unknown>, key: SigningKey, payload: object = claims) => {
  const full = { typ: 'at+jwt', alg: key.alg, kid: key.kid, ...header }
  const input = [full, payload].map((part) => base64url.encode(JSON.stringify(part))).join('.')
  return `${input}.${base64url.encode(await key.sign(new TextEncoder().encode(input)))}`
}

describe('readOwnToken', () => {
  for (const key of [rsKey, esKey]) {
    for (const typ of ['at+jwt', 'JWT']) {
      test(`reads a token of ${key.alg} and type ${typ}`, async () => {
        const token = await read(await own({ roles: ['x'] }, typ, key))
        const { jti, client_id, iat, exp } = claims
        assert.deepEqual(token, {
          jti,
          client_id,
          iat,
          exp,
          parties: [client_id, claims.sub],
          claims: { ...claims, roles: ['x'] },
        })
      })
    }
  }

  for (const [after, isRead] of [
    [-3600, true],
    [0, true],
    [59, true],
    [60, false],
    [61, false],
  ] as const) {
    test(`${after} s after its issue, of 60 s: ${isRead ? 'a token' : 'none'}`, async () => {
      assert.equal((await read(await own(), NOW + after)) !== undefined, isRead)
    })
  }

  const refusedClaims: readonly Record<string, unknown>[] = [
    ...['iss', 'exp', 'iat', 'jti', 'client_id'].map((name) => ({ [name]: undefined })),
    ...['https://other.example', `${ISSUER}/`, ISSUER.toUpperCase(), [ISSUER], 7].map((iss) => ({ iss })),
    ...[7, null, ['j'], {}].flatMap((value) => [{ jti: value }, { client_id: value }]),
    ...[`${NOW + 60}`, null, [NOW + 60], true].flatMap((value) => [{ exp: value }, { iat: value }]),
    ...[NOW, NOW - 1, 0, -1].map((exp) => ({ exp })),
  ]
  for (const more of refusedClaims) {
    test(`refuses ${JSON.stringify(more, (_, value) => value ?? 'nothing')}`, async () => {
      assert.equal(await read(await own(more)), undefined)
    })
  }

  for (const typ of ['at+JWT', 'jwt', 'dpop+jwt', 'token-introspection+jwt', 'application/at+jwt', '']) {
    test(`refuses the type "${typ}"`, async () => assert.equal(await read(await own({}, typ)), undefined))
  }

  const headers: readonly [name: string, header: Record<string, unknown>, key: SigningKey][] = [
    ['no type', { typ: undefined }, rsKey],
    ['no kid', { kid: undefined }, rsKey],
    ['an unknown kid', { kid: 'other' }, rsKey],
    ['the kid of another key', { kid: esKey.kid }, rsKey],
    ['the kid of another key of its algorithm', { kid: next.kid }, rsKey],
    ['the kid in a list', { kid: [rsKey.kid] }, esKey],
  ]
  for (const [name, header, key] of headers) {
    test(`refuses ${name}`, async () => assert.equal(await read(await sign(header, key)), undefined))
  }

  test('refuses an algorithm other than that of its key', async () => {
    const [, payload, signature] = (await own()).split('.')
    for (const alg of ['none', 'HS256', 'RS512', 'PS256', 'ES256', undefined]) {
      const header = base64url.encode(JSON.stringify({ alg, kid: rsKey.kid, typ: 'at+jwt' }))
      assert.equal(await read(`${header}.${payload}.${signature}`), undefined, alg)
    }
  })

  test('refuses a token that was changed, cut off or lengthened', async () => {
    const jws = await own()
    const [header, , signature] = jws.split('.')
    const forged = base64url.encode(JSON.stringify({ ...claims, client_id: 'other' }))
    for (const bad of [
      `${header}.${forged}.${signature}`,
      `${header}.${forged}.`,
      jws.slice(0, -4),
      `${jws}AAAA`,
      `${jws}.`,
      '',
    ]) {
      assert.equal(await read(bad), undefined, bad)
    }
  })

  test('refuses a token that a key of another server signed under our kid', async () => {
    const stranger = (await keyringOf({ ...(await generateKey('RS256')), kid: rsKey.kid })).at(NOW).signing()
    assert.ok(stranger !== undefined)
    assert.equal(await read(await own({}, 'at+jwt', stranger)), undefined)
  })

  test('refuses a token as soon as its key has expired', async () => {
    const jws = await own({ exp: NOW + 99_999 })
    const last = NOW + 100 + LIFETIME + 60
    assert.notEqual(await read(jws, last), undefined)
    assert.equal(await read(jws, last + 1), undefined)
  })

  test('reads what signAccessToken makes, of either profile', async () => {
    const { iss: issuer, sub: subject, client_id: clientId, iat: issuedAt, exp: expiresAt, jti: id } = claims
    const token: AccessToken = {
      ...{ issuer, subject, clientId, issuedAt, expiresAt, id },
      ...{ resources: ['urn:x', 'urn:y'], scopes: ['b', 'a'], cnf: {}, claims: {} },
    }
    for (const profile of ['rfc9068', 'fosite'] as const) {
      const made = await read(await signAccessToken(token, profile, rsKey))
      assert.ok(made !== undefined)
      assert.deepEqual([audiencesOf(made), scopeOf(made)], [['urn:x', 'urn:y'], 'b a'])
    }
  })
})

describe('a verified token', () => {
  const token = (more: object): OwnToken => ({
    ...{ jti: 'j', client_id: 'c', iat: NOW, exp: NOW + 60, parties: ['c'] },
    claims: { ...more },
  })

  for (const [aud, audiences] of [
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
  ] as const) {
    test(`the audiences of ${JSON.stringify(aud)}`, () => assert.deepEqual(audiencesOf(token({ aud })), audiences))
  }

  for (const [members, scope] of [
    [{}, ''],
    [{ scope: 'a b' }, 'a b'],
    [{ scope: '' }, ''],
    [{ scp: [] }, ''],
    [{ scp: ['a'] }, 'a'],
    [{ scp: ['a', 'b'] }, 'a b'],
    [{ scp: 'a' }, ''],
    [{ scope: 'a', scp: ['b'] }, 'a'],
  ] as const) {
    test(`the scope of ${JSON.stringify(members)}`, () => assert.equal(scopeOf(token(members)), scope))
  }
})
