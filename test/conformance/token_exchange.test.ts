import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import {
  createFederated,
  credential,
  type FederatedWorld,
  federatedClient,
  JWT_BEARER,
  JWT_SPIFFE,
  makePair,
  signToken,
  TOKEN_EXCHANGE,
} from '../support/federation.ts'
import { clients, ISSUER, NOW } from '../support/world.ts'
import { type ExchangeCase, exchanges, SPIFFE, TYPE } from './token_exchange.ts'

const IDP = 'https://issuer.example'
const pair = await makePair('ES256', 'one')

const sign = (more: object = {}) => {
  const times = { iat: NOW, exp: NOW + 300, jti: crypto.randomUUID() }
  return signToken(
    { alg: 'ES256', kid: 'one' },
    { iss: IDP, sub: 'job', aud: ISSUER, ...times, ...more },
    pair.privateKey,
  )
}

async function createExchanging(issuer: object = {}): Promise<FederatedWorld> {
  const world = await createFederated()
  await world.trust({ issuer: IDP, ...issuer })
  world.publish(IDP, [pair.publicJwk])
  await world.trust({ issuer: SPIFFE, jwks: { keys: [{ ...pair.publicJwk, use: 'jwt-svid' }] } })
  for (const resource of ['https://rs.example', 'urn:example:rs']) {
    await world.registry.put(keyOf(RESOURCES, resource), toRecord({ resource }))
  }
  const rules = [credential(IDP, { sub: 'job' })]
  const resources = ['https://rs.example', 'urn:example:rs', 'urn:example:gone']
  await world.put(federatedClient('deployer', rules, { default_scope: 'read', resources }))
  await world.put(federatedClient('job', rules))
  await world.put(federatedClient('no-grant', rules, { grant_types: ['client_credentials'] }))
  await world.put(federatedClient('disabled', rules, { disabled: true }))
  await world.put(federatedClient('other', [credential(IDP, { sub: 'other' })]))
  await world.put(federatedClient('bare', []))
  await world.put(federatedClient('public', rules, { token_endpoint_auth_method: 'none' }))
  const [{ client_secrets } = {}] = await clients()
  const method = { token_endpoint_auth_method: 'client_secret_basic' }
  await world.put(federatedClient('secretive', rules, { ...method, client_secrets }))
  const svid = [credential(SPIFFE, { sub: `${SPIFFE}/ns/prod` })]
  await world.put(federatedClient('svid', svid, { token_endpoint_auth_method: 'spiffe_jwt' }))
  world.writes.length = 0
  return world
}

const shared = createExchanging()

async function ask({ form, basic, claims }: ExchangeCase) {
  const { exchange } = await shared
  const headers = basic === undefined ? {} : { Authorization: `Basic ${btoa(basic)}` }
  return exchange(await sign(claims), { client_id: 'deployer', ...form }, headers)
}

for (const [part, cases] of Object.entries(exchanges)) {
  describe(`token exchange, ${part}`, () => {
    for (const each of cases) {
      test(each.name, async () => {
        const { expect } = each
        const { status, reason, body, event } = await ask(each)
        assert.equal(status, expect.status, reason)
        if (expect.status !== 200) {
          assert.deepEqual([body['error'], reason], [expect.error, expect.reason])
          if (status === 401) assert.equal(body['error_description'], 'Client authentication failed.')
          return
        }
        const { access_token, ...others } = body
        const { scope = others['scope'], sub = 'deployer', aud = ISSUER } = expect
        const issued_token_type = `${TYPE}access_token`
        assert.deepEqual(others, { issued_token_type, expires_in: 1800, scope, token_type: 'bearer' })
        const claims = decodeJwt(String(access_token))
        assert.deepEqual([claims.sub, claims['client_id'], claims.aud], [sub, sub, aud])
        assert.equal('act' in claims, false)
        assert.ok(event?.event === 'token_issued')
        assert.deepEqual([event.grant_type, event.credential_id], [TOKEN_EXCHANGE, 'rule'])
      })
    }
  })
}

describe('a token exchange', () => {
  test('is answered as google-auth reads it when it asks as google-auth does', async () => {
    const { app } = await shared
    const form = {
      grant_type: TOKEN_EXCHANGE,
      audience: 'https://rs.example',
      scope: 'read write',
      requested_token_type: `${TYPE}access_token`,
      subject_token: await sign(),
      subject_token_type: `${TYPE}jwt`,
    }
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      'x-goog-api-client':
        'gl-python/3.12.1 auth/2.63.0 google-byoid-sdk source/file sa-impersonation/false config-lifetime/false',
      Authorization: `Basic ${btoa('deployer:')}`,
    }
    const response = await app.request('/token', {
      method: 'POST',
      headers,
      body: new URLSearchParams(form).toString(),
    })
    assert.equal(response.status, 200)
    const { access_token, expires_in, scope } = (await response.json()) as Record<string, unknown>
    assert.deepEqual([typeof access_token, expires_in, scope], ['string', 1800, 'read write'])
    assert.equal(decodeJwt(String(access_token)).aud, 'https://rs.example')
  })

  test('does not run as something else when the client authenticates in another way', async () => {
    const { exchange } = await shared
    for (const client_assertion_type of [JWT_BEARER, JWT_SPIFFE]) {
      const isSvid = client_assertion_type === JWT_SPIFFE
      const client_assertion = await sign(isSvid ? { sub: `${SPIFFE}/ns/prod` } : {})
      const form = { client_id: isSvid ? 'svid' : 'deployer', client_assertion, client_assertion_type }
      const { status, reason } = await exchange(await sign(), form)
      assert.deepEqual([status, reason], [400, 'subject_token_not_alone'])
      const named = await exchange(await sign(), form, { Authorization: `Basic ${btoa(`${form.client_id}:`)}` })
      assert.deepEqual([named.status, named.reason], [400, 'credentials_several'])
    }
  })

  test('takes Basic with an empty secret for a name, and no other grant and endpoint does', async () => {
    const { app, events } = await shared
    const basic = { Authorization: `Basic ${btoa('deployer:')}` }
    const subject = { subject_token: await sign(), subject_token_type: `${TYPE}jwt` }
    const sent: readonly [path: string, form: Record<string, string>][] = [
      ['/token', { grant_type: 'client_credentials', ...subject }],
      ['/introspect', { grant_type: TOKEN_EXCHANGE, token: 'x', ...subject }],
      ['/revoke', { grant_type: TOKEN_EXCHANGE, token: 'x', ...subject }],
    ]
    for (const [path, form] of sent) {
      for (const [headers, more] of [
        [basic, {}],
        [{}, { client_id: 'deployer' }],
      ] as const) {
        const body = new URLSearchParams({ ...form, ...more })
        const response = await app.request(path, { method: 'POST', headers, body })
        const event = events.at(-1)
        assert.ok(event?.event === 'request_refused')
        assert.deepEqual([response.status, event.reason], [401, 'auth_method_mismatch'], path)
      }
    }
  })

  test('writes nothing without single_use, and gets a new token each time', async () => {
    const { exchange, writes } = await createExchanging()
    const jws = await sign()
    const ids = new Set<unknown>()
    for (let index = 0; index < 5; index++) {
      const { body } = await exchange(jws, { client_id: 'deployer' })
      ids.add(decodeJwt(String(body['access_token'])).jti)
    }
    assert.deepEqual([ids.size, writes], [5, []])
  })

  test('uses up a token of single use for the client assertion too, and the other way round', async () => {
    const { exchange, send, writes } = await createExchanging({ single_use: true })
    const form = { client_id: 'deployer' }
    const [one, two] = [await sign(), await sign()]
    assert.equal((await exchange(one, { ...form, requested_token_type: `${TYPE}jwt` })).status, 400)
    assert.equal((await exchange(one, { client_id: 'other' })).status, 401)
    assert.deepEqual(writes, [])
    assert.equal((await exchange(one, form)).status, 200)
    assert.deepEqual(writes, ['add'])
    assert.equal((await exchange(one, form)).reason, 'assertion_replayed')
    assert.equal((await send(one, form)).reason, 'assertion_replayed')
    assert.equal((await send(two, form)).status, 200)
    assert.equal((await exchange(two, form)).reason, 'assertion_replayed')
  })
})
