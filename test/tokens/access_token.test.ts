import assert from 'node:assert/strict'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, test } from '#test'
import { generateKeyring } from '../../src/keys/keyring.ts'
import type { SigningKey } from '../../src/keys/signing_key.ts'
import { type AccessToken, signAccessToken } from '../../src/tokens/access_token.ts'
import { ISSUER, NOW } from '../support/world.ts'

const keyring = await generateKeyring({ lifetimeSeconds: 1800 })
const signing = keyring.signingAt(NOW) as SigningKey
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

  test('fosite, nothing granted: empty lists', async () => {
    const jwt = await signAccessToken(plain, 'fosite', signing)
    assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'RS256', kid: signing.kid, typ: 'JWT' })
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: [], scp: [] })
  })

  test('fosite, one of each granted: lists all the same', async () => {
    const jwt = await signAccessToken({ ...plain, scopes: ['a'], resources: ['urn:x'] }, 'fosite', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ['urn:x'], scp: ['a'] })
  })

  test('what binds it, and static claims; those that say what a token is stay ours', async () => {
    const claims = {
      roles: ['a'],
      iss: 'https://evil.example',
      nbf: 0,
      cnf: { jkt: 'evil' },
      scp: ['admin'],
      status: {},
    }
    const jwt = await signAccessToken({ ...plain, cnf: { jkt: 'x' }, claims }, 'rfc9068', signing)
    assert.deepEqual(decodeJwt(jwt), { ...shared, aud: ISSUER, roles: ['a'], cnf: { jkt: 'x' } })
  })
})
