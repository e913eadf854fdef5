import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Reason } from '../../src/reasons.ts'
import { createFederated, credential, federatedClient, JWT_SPIFFE, makePair, signToken } from '../support/federation.ts'
import { ISSUER, NOW } from '../support/world.ts'

const DOMAIN = 'spiffe://example.org'
const BUNDLE = 'https://bundle.example/'
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']
const pairs = new Map(await Promise.all(ALGORITHMS.map(async (alg) => [alg, await makePair(alg, alg)] as const)))
const pairOf = (alg: string) => {
  const pair = pairs.get(alg)
  assert.ok(pair !== undefined)
  return pair
}
const keys = [...pairs.values()].map(({ publicJwk }) => ({ ...publicJwk, use: 'jwt-svid' }))
const other = await makePair('ES256', 'ES256')

const ID = `${DOMAIN}/ns/prod/sa/deployer`
const claims = { sub: ID, aud: [ISSUER], iat: NOW, exp: NOW + 300 }
const sign = (more: object = {}, header: Record<string, unknown> = {}, alg = 'ES256', key?: CryptoKey) =>
  signToken({ alg, kid: alg, typ: 'JWT', ...header }, { ...claims, ...more }, key ?? pairOf(alg).privateKey)

async function createSpiffe({ hint = 600 as unknown, issuer = {} as object } = {}) {
  const world = await createFederated()
  await world.trust({ issuer: DOMAIN, spiffe_bundle_endpoint: BUNDLE, ...issuer })
  await world.trust({ issuer: 'spiffe://other.example', spiffe_bundle_endpoint: 'https://other.example/' })
  const x509 = { kty: 'EC', use: 'x509-svid', x5c: ['AA'] }
  world.published.set(BUNDLE, {
    keys: [x509, ...keys],
    spiffe_sequence: 1,
    ...(hint !== 'none' && { spiffe_refresh_hint: hint }),
  })
  world.published.set('https://other.example/', { keys: [{ ...other.publicJwk, use: 'jwt-svid' }] })
  const method = { token_endpoint_auth_method: 'spiffe_jwt' }
  await world.put(federatedClient('exact', [credential(DOMAIN, { sub: ID })], method))
  await world.put(federatedClient('glob', [credential(DOMAIN, { sub: { glob: `${DOMAIN}/ns/prod/sa/*` } })], method))
  await world.put(federatedClient('rest', [credential(DOMAIN, { sub: { glob: `${DOMAIN}/ns/**` } })], method))
  await world.put(
    federatedClient('other', [credential('spiffe://other.example', { sub: 'spiffe://other.example/a' })], method),
  )
  await world.put(federatedClient(ID, [credential(DOMAIN, { sub: ID })], method))
  await world.put(federatedClient('federated', [credential(DOMAIN, { sub: ID })]))
  const send = (jws: string, client_id = 'exact', type = JWT_SPIFFE) =>
    world.send(jws, { client_assertion_type: type, ...(client_id !== '' && { client_id }) })
  return { ...world, send }
}

const shared = createSpiffe()

describe('spiffe_jwt, accepted', () => {
  for (const alg of ALGORITHMS) {
    test(alg, async () => assert.equal((await (await shared).send(await sign({}, {}, alg))).status, 200))
  }

  const accepted: readonly [name: string, claims: object, header?: Record<string, unknown>, client?: string][] = [
    ['no typ', {}, { typ: undefined }],
    ['typ JOSE', {}, { typ: 'JOSE' }],
    ['no kid', {}, { kid: undefined }],
    ['an audience that is text', { aud: ISSUER }],
    ['iss, which is ignored', { iss: 'https://oidc.example.org' }],
    ['no iat', { iat: undefined }],
    ['scheme and trust domain in capitals', { sub: `SPIFFE://Example.ORG/ns/prod/sa/deployer` }],
    ['a glob in the path', { sub: `${DOMAIN}/ns/prod/sa/other` }, {}, 'glob'],
    ['a prefix of the path', { sub: `${DOMAIN}/ns/a/b/c` }, {}, 'rest'],
    ['the SPIFFE ID as the name of the client', {}, {}, ''],
  ]
  for (const [name, more, header, client] of accepted) {
    test(name, async () => assert.equal((await (await shared).send(await sign(more, header), client)).status, 200))
  }

  test('the same SVID again, without a write', async () => {
    const { send, writes } = await createSpiffe()
    writes.length = 0
    const jws = await sign()
    for (let index = 0; index < 3; index++) assert.equal((await send(jws)).status, 200)
    assert.deepEqual(writes, [])
  })
})

describe('spiffe_jwt, refused with 401 invalid_client', () => {
  const refused: readonly [
    name: string,
    claims: object,
    reason: Reason,
    header?: Record<string, unknown>,
    client?: string,
  ][] = [
    ['another path', { sub: `${ID}/x` }, 'federation_no_rule'],
    ['a path in capitals', { sub: `${DOMAIN}/NS/prod/sa/deployer` }, 'federation_no_rule'],
    ['a path that begins alike', { sub: `${DOMAIN}/ns/prod-evil/sa/deployer` }, 'federation_no_rule', {}, 'glob'],
    ['a longer path than the glob', { sub: `${ID}/x` }, 'federation_no_rule', {}, 'glob'],
    ['another trust domain', { sub: 'spiffe://other.example/ns/prod/sa/deployer' }, 'federation_issuer_unknown'],
    ['an unknown trust domain', { sub: 'spiffe://evil.example/a' }, 'federation_issuer_unknown'],
    [
      'a trust domain that begins alike',
      { sub: 'spiffe://example.org.evil/ns/prod/sa/deployer' },
      'federation_issuer_unknown',
    ],
    ['a port', { sub: 'spiffe://example.org:8443/ns/prod/sa/deployer' }, 'assertion_sub_wrong'],
    ['a user', { sub: 'spiffe://a@example.org/ns' }, 'assertion_sub_wrong'],
    ['a query', { sub: `${ID}?a` }, 'assertion_sub_wrong'],
    ['a percent', { sub: `${DOMAIN}/ns%2Fprod/sa/deployer` }, 'assertion_sub_wrong'],
    ['a dot segment', { sub: `${DOMAIN}/ns/../ns/prod/sa/deployer` }, 'assertion_sub_wrong'],
    ['an empty segment', { sub: `${DOMAIN}//ns/prod/sa/deployer` }, 'assertion_sub_wrong'],
    ['a final slash', { sub: `${ID}/` }, 'assertion_sub_wrong'],
    ['no path', { sub: DOMAIN }, 'assertion_sub_wrong'],
    ['another scheme', { sub: 'https://example.org/ns/prod/sa/deployer' }, 'assertion_sub_wrong'],
    ['a line end', { sub: `${ID}\n` }, 'assertion_sub_wrong'],
    ['2049 characters', { sub: `${DOMAIN}/${'a'.repeat(2049)}` }, 'assertion_sub_wrong'],
    ['a list', { sub: [ID] }, 'assertion_sub_wrong'],
    ['no sub', { sub: undefined }, 'assertion_sub_wrong'],
    ['two audiences', { aud: [ISSUER, 'https://other'] }, 'assertion_aud_wrong'],
    ['expired', { exp: NOW - 30 }, 'assertion_expired'],
    ['no exp', { exp: undefined }, 'assertion_exp_missing'],
    ['another typ', {}, 'assertion_typ_wrong', { typ: 'at+jwt' }],
    ['a further header', {}, 'assertion_malformed', { jku: 'https://evil.example/' }],
    ['an unknown kid', {}, 'assertion_key_unknown', { kid: 'x' }],
  ]
  for (const [name, more, reason, header, client] of refused) {
    test(name, async () => {
      const { status, reason: told } = await (await shared).send(await sign(more, header), client)
      assert.deepEqual([status, told], [401, reason])
    })
  }

  test('a key of another trust domain, and a key that is not for JWT-SVIDs', async () => {
    const { send, published, state } = await createSpiffe()
    const foreign = await sign({}, {}, 'ES256', other.privateKey)
    assert.equal((await send(foreign)).reason, 'assertion_signature_wrong')
    published.set(BUNDLE, { keys: [{ ...pairOf('ES256').publicJwk, use: 'sig' }, keys[0]] })
    state.now = NOW + 600
    assert.equal((await send(await sign({ exp: NOW + 900 }))).reason, 'assertion_key_unknown')
  })

  test('what is no JWT', async () => {
    const { send } = await shared
    for (const client of ['exact', '']) {
      const { status, reason } = await send('a.b.c', client)
      assert.deepEqual([status, reason], [401, 'assertion_malformed'])
    }
  })

  test('EdDSA, which JWT-SVIDs do not use', async () => {
    const pair = await makePair('EdDSA', 'ed')
    const { reason } = await (await shared).send(await sign({}, { kid: 'ed' }, 'EdDSA', pair.privateKey))
    assert.equal(reason, 'assertion_alg_not_allowed')
  })

  test('presented as an assertion of RFC 7523, or by a client of federated_jwt', async () => {
    const { send } = await shared
    const jws = await sign({ iss: DOMAIN })
    assert.equal(
      (await send(jws, 'exact', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')).reason,
      'auth_method_mismatch',
    )
    assert.equal((await send(jws, 'federated')).reason, 'auth_method_mismatch')
    const assertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    assert.equal((await send(jws, 'federated', assertion)).reason, 'federation_issuer_unknown')
  })
})

describe('the bundle of a trust domain', () => {
  const hints: readonly [hint: unknown, seconds: number][] = [
    [600, 600],
    ['none', 300],
    [1, 60],
    [999_999, 3600],
  ]
  for (const [hint, seconds] of hints) {
    test(`with the refresh hint ${hint} is used for ${seconds} s`, async () => {
      const { send, state, fetched } = await createSpiffe({ hint, issuer: { max_age: 86_400 } })
      const jws = await sign({ exp: NOW + 9000 })
      assert.equal((await send(jws)).status, 200)
      state.now = NOW + seconds - 1
      await send(jws)
      assert.equal(fetched.length, 1)
      state.now++
      await send(jws)
      assert.equal(fetched.length, 2)
    })
  }

  test('may be inline', async () => {
    const issuer = { jwks: { keys }, spiffe_bundle_endpoint: undefined }
    const { send, fetched } = await createSpiffe({ issuer })
    assert.equal((await send(await sign())).status, 200)
    assert.deepEqual(fetched, [])
  })
})
