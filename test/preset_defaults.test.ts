import assert from 'node:assert/strict'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateKeyring } from '../src/keys/keyring.ts'
import { createPreset } from '../src/preset.ts'
import type { FeatureHost } from '../src/preset_options.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { Client, Jwk } from '../src/types.ts'
import { clientCert, plain } from './support/certificates.ts'
import { NOW } from './support/world.ts'

const ISSUER = 'https://tokens.example'

const keyring = await generateKeyring()
const signer = await generateKeyPair('ES256', { extractable: true })
const member = { grant_types: ['client_credentials'], scope: 'read' }
const byKey: Client = {
  ...member,
  client_id: 'by-key',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [(await exportJWK(signer.publicKey)) as Jwk] },
  introspection: true,
}
const byCertificate: Client = {
  ...member,
  client_id: 'by-certificate',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=plain,O=Example',
}

type Fields = Readonly<Record<string, string>>

/** A preset made with nothing but what is required, unless `clock` is given. */
async function createDefault(clock?: { now: number }) {
  const now = clock && (() => clock.now)
  const stores = memoryStores(now ?? (() => Math.floor(Date.now() / 1000)))
  for (const client of [byKey, byCertificate]) {
    await stores.registry.put(clientKey(client.client_id), clientRecord(client))
  }
  const host: FeatureHost = { fetch: () => Promise.reject(new Error('no network')), ...(now && { now }) }
  const app = createPreset({ issuer: ISSUER, ...stores, keyring }, host)
  const send = async (path: string, form: Fields, headers: Fields = {}) => {
    const request = new Request(ISSUER + path, { method: 'POST', body: new URLSearchParams(form), headers })
    const response = await app.fetch(request, { peer: () => '127.0.0.1' })
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
  }
  return { app, send, registry: stores.registry }
}

/** The parameters of a request that an assertion authenticates which expires at `exp`. */
async function assertionUntil(exp: number): Promise<Fields> {
  const client_assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('by-key')
    .setSubject('by-key')
    .setAudience(ISSUER)
    .setExpirationTime(exp)
    .sign(signer.privateKey)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return { grant_type: 'client_credentials', client_assertion, client_assertion_type }
}

describe('createPreset with only what is required', () => {
  test('issues a token of RFC 9068 for 1800 seconds, by the clock of the runtime', async () => {
    const { send } = await createDefault()
    const before = Math.floor(Date.now() / 1000)
    const { status, body } = await send('/token', await assertionUntil(before + 60))
    assert.deepEqual([status, body['expires_in'], body['token_type']], [200, 1800, 'bearer'])
    const token = String(body['access_token'])
    const { iss, iat = 0, exp = 0 } = decodeJwt(token)
    assert.deepEqual([decodeProtectedHeader(token).typ, iss, exp - iat], ['at+jwt', ISSUER, 1800])
    assert.ok(iat >= before && iat <= Date.now() / 1000)
  })

  test('accepts assertions that expire within an hour', async () => {
    const { send } = await createDefault({ now: NOW })
    const SKEW_SECONDS = 30
    assert.equal((await send('/token', await assertionUntil(NOW + 3600 + SKEW_SECONDS))).status, 200)
    assert.equal((await send('/token', await assertionUntil(NOW + 3600 + SKEW_SECONDS + 1))).status, 401)
  })

  test('considers a client fresh for 30 seconds', async () => {
    const clock = { now: NOW }
    const { send, registry } = await createDefault(clock)
    const status = async () => (await send('/token', await assertionUntil(NOW + 600))).status
    assert.equal(await status(), 200)
    await registry.put(clientKey('by-key'), clientRecord({ ...byKey, disabled: true }))
    clock.now = NOW + 29
    assert.equal(await status(), 200)
    clock.now = NOW + 30
    assert.equal(await status(), 401)
  })

  test('trusts no proxy, needs no nonce and offers no registration', async () => {
    const { app, send } = await createDefault({ now: NOW })
    const form = { grant_type: 'client_credentials', client_id: 'by-certificate' }
    assert.equal((await send('/token', form, { 'Client-Cert': clientCert(plain) })).status, 401)
    const DPoP = await new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(signer.publicKey) })
      .sign(signer.privateKey)
    const proved = await send('/token', await assertionUntil(NOW + 60), { DPoP })
    assert.deepEqual([proved.status, proved.body['token_type']], [200, 'DPoP'])
    assert.equal((await app.request(`${ISSUER}/register`)).status, 404)
  })
})
