import assert from 'node:assert/strict'
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, test } from '#test'
import { clientKey } from '../../src/clients/registry.ts'
import { generateKeyring } from '../../src/keys/keyring.ts'
import type { SigningKey } from '../../src/keys/signing_key.ts'
import { toRecord } from '../../src/records/records.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { type AccessToken, isFreeClaim, signAccessToken } from '../../src/tokens/access_token.ts'
import { clients, createWorld, ISSUER, NOW } from '../support/world.ts'

const keyring = await generateKeyring({ lifetimeSeconds: 1800 })
const signing = keyring.at(NOW).signing() as SigningKey
const plain: AccessToken = {
  issuer: ISSUER,
  subject: 's',
  clientId: 'c',
  resources: [],
  scopes: [],
  id: 'j',
  issuedAt: NOW,
  expiresAt: NOW + 60,
  cnf: {},
  claims: {},
}
const shared = { iss: ISSUER, sub: 's', client_id: 'c', iat: NOW, exp: NOW + 60, jti: 'j' }

const PROFILES = ['rfc9068', 'fosite'] as const

describe('signAccessToken', () => {
  test('RFC 9068, nothing granted', async () => {
    const jwt = await signAccessToken(plain, 'rfc9068', signing)
    assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'RS256', kid: signing.kid, typ: 'at+jwt' })
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ISSUER })
  })

  test('RFC 9068, scopes and resources granted', async () => {
    const granted = { ...plain, scopes: ['a', 'b'], resources: ['urn:x', 'urn:y'] }
    const jwt = await signAccessToken(granted, 'rfc9068', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ['urn:x', 'urn:y'], scope: 'a b' })
  })

  test('RFC 9068, one of each granted: strings', async () => {
    const jwt = await signAccessToken({ ...plain, scopes: ['a'], resources: ['urn:x'] }, 'rfc9068', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: 'urn:x', scope: 'a' })
  })

  test('fosite, nothing granted: empty lists', async () => {
    const jwt = await signAccessToken(plain, 'fosite', signing)
    assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'RS256', kid: signing.kid, typ: 'JWT' })
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: [], scp: [] })
  })

  test('fosite, one of each granted: still lists', async () => {
    const jwt = await signAccessToken({ ...plain, scopes: ['a'], resources: ['urn:x'] }, 'fosite', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ['urn:x'], scp: ['a'] })
  })

  test('confirmation and static claims', async () => {
    const claims = { roles: ['a'], cnf: { jkt: 'evil' } }
    const jwt = await signAccessToken({ ...plain, cnf: { jkt: 'x' }, claims }, 'rfc9068', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ISSUER, roles: ['a'], cnf: { jkt: 'x' } })
  })

  test('verifies with the published key, in either profile', async () => {
    for (const profile of PROFILES) {
      const { protectedHeader } = await compactVerify(await signAccessToken(plain, profile, signing), signing.publicKey)
      assert.equal(protectedHeader.kid, signing.kid)
    }
  })
})

/** Claims that identify a token, its subject or its rights, of RFC 7519, 7662, 7800, 8693, 9068, OpenID Connect and vendors. */
const PROTECTED = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'azp', 'scope', 'scp', 'cnf', 'act', 'may_act'],
  ...['status', 'active', 'token_type', 'token_use', 'username', 'acr', 'amr', 'auth_time'],
]
const FREE = ['roles', 'groups', 'tenant', 'Scope', 'ISS', ' sub', 'https://example.com/sub', 'name', '__proto__', '']

describe("claims of a client's record", () => {
  for (const name of PROTECTED) test(`${name} is not free`, () => assert.equal(isFreeClaim(name), false))
  for (const name of FREE) test(`"${name}" is free`, () => assert.equal(isFreeClaim(name), true))

  const evil = Object.fromEntries([...PROTECTED, ...FREE].map((name) => [name, `evil ${name}`]))
  const free = Object.fromEntries(FREE.map((name) => [name, `evil ${name}`]))
  for (const profile of PROFILES) {
    const lists = profile === 'fosite' ? { aud: [], scp: [] } : { aud: ISSUER }

    test(`${profile}: a record cannot set a protected claim`, async () => {
      const jwt = await signAccessToken({ ...plain, claims: evil }, profile, signing)
      assert.deepEqual(decodeJwt(jwt), { ...free, ...shared, ...lists })
    })

    test(`${profile}: nor through the token endpoint, with a record written without registration`, async () => {
      const [client] = await clients()
      const { registry } = memoryStores(() => NOW)
      await registry.put(clientKey('test-client'), toRecord({ ...client, resources: [], claims: evil }))
      const { app } = await createWorld({ registry, accessTokenProfile: profile })
      const body = new URLSearchParams('grant_type=client_credentials&client_id=test-client&client_secret=foobar')
      const response = await app.request('/token', { method: 'POST', body })
      const { access_token } = (await response.json()) as { access_token: string }
      const { jti, ...payload } = decodeJwt(access_token)
      assert.match(jti ?? '', /^[\da-f-]{36}$/)
      const { jti: _jti, ...ours } = shared
      const me = { sub: 'test-client', client_id: 'test-client', exp: NOW + 1800 }
      const { ['__proto__']: _ignored, ...kept } = free
      assert.deepEqual(payload, { ...kept, ...ours, ...lists, ...me })
    })
  }
})
