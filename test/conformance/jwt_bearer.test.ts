import assert from 'node:assert/strict'
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { dpop } from '../../src/confirmations/dpop.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { TrustedIssuer } from '../../src/types.ts'
import { createFederated, type FederatedWorld, makePair, signToken } from '../support/federation.ts'
import { clients, ISSUER, NOW } from '../support/world.ts'
import { ENTERPRISE, type GrantCase, grantCases, ID_JAG, IDP, OTHER_RS, RS } from './jwt_bearer.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const pair = await makePair('ES256', 'one')
type Values = Readonly<Record<string, unknown>>

const sign = async (header: Values = {}, claims: Values = {}) => {
  // A signature of another algorithm is not needed to be refused for it.
  const { alg = 'ES256', ...others } = header
  const usual = { iss: IDP, sub: 'ada', aud: ISSUER, iat: NOW, exp: NOW + 300, jti: crypto.randomUUID() }
  const jws = await signToken(
    { alg: 'ES256', kid: 'one', typ: 'JWT', ...others },
    { ...usual, ...claims },
    pair.privateKey,
  )
  const [, ...parts] = jws.split('.')
  return alg === 'ES256' ? jws : [btoa(JSON.stringify({ alg })).replaceAll('=', ''), ...parts].join('.')
}

const signIdJag = (header: Values = {}, claims: Values = {}) =>
  sign({ typ: ID_JAG, ...header }, { iss: ENTERPRISE, client_id: 'app', scope: 'read', resource: RS, ...claims })

async function createGranting(issuer: Partial<TrustedIssuer> = {}): Promise<FederatedWorld> {
  const { ledger } = memoryStores(() => NOW)
  const world = await createFederated({ ledger, confirmations: [dpop({ ledger })] })
  await world.trust({ issuer: IDP, uses: ['jwt_bearer'], audiences: ['api://edgemint'], ...issuer })
  await world.trust({ issuer: ENTERPRISE, uses: ['id_jag'], audiences: ['api://edgemint'], ...issuer })
  await world.trust({ issuer: 'https://ci.example' })
  for (const each of [IDP, ENTERPRISE, 'https://ci.example']) world.publish(each, [pair.publicJwk])
  for (const resource of [RS, OTHER_RS]) await world.registry.put(keyOf(RESOURCES, resource), toRecord({ resource }))
  const [{ client_secrets } = {}] = await clients()
  const app = {
    client_secrets,
    grant_types: [GRANT],
    scope: 'read write',
    default_scope: 'read',
    resources: [RS, OTHER_RS],
    assertion_issuers: [IDP, ENTERPRISE, 'https://ci.example', ISSUER],
  }
  await world.put({ ...app, client_id: 'app' })
  await world.put({ ...app, client_id: 'another' })
  await world.put({ ...app, client_id: 'ungranted', grant_types: ['client_credentials'] })
  await world.put({ ...app, client_id: 'unlinked', assertion_issuers: [] })
  await world.put({ ...app, client_id: 'disabled', disabled: true })
  await world.put({ ...app, client_id: 'public', token_endpoint_auth_method: 'none', client_secrets: undefined })
  world.writes.length = 0
  return world
}

const shared = createGranting()

async function present(
  world: FederatedWorld,
  assertion: unknown,
  { client_id = 'app', form = {} }: Partial<GrantCase> = {},
  headers = {},
) {
  const isPublic = client_id === 'public'
  const authorization = isPublic ? {} : { Authorization: `Basic ${btoa(`${client_id}:foobar`)}` }
  const body = { grant_type: GRANT, assertion, ...(isPublic && { client_id }), ...form }
  return world.request(body, { ...authorization, ...headers })
}

for (const [kind, cases] of Object.entries(grantCases)) {
  describe(`an assertion as a grant, ${kind}`, () => {
    for (const each of cases) {
      test(each.name, async () => {
        const { header, claims, expect } = each
        const world = await shared
        const jws = await (kind === 'idJag' ? signIdJag : sign)(header, claims)
        const { status, body, reason, event } = await present(world, jws, each)
        assert.equal(status, expect.status, reason)
        if (expect.status !== 200) {
          assert.deepEqual([body['error'], reason], [expect.error, expect.reason])
          if (expect.error === 'invalid_grant')
            assert.equal(body['error_description'], 'The assertion is not acceptable.')
          return
        }
        const token = decodeJwt(String(body['access_token']))
        const { sub = token.sub, scope = body['scope'], aud = token.aud, act = token['act'] } = expect
        assert.deepEqual([token.sub, body['scope'], token.aud, token['act']], [sub, scope, aud, act])
        assert.equal(token['client_id'], 'app')
        assert.equal('refresh_token' in body, false)
        assert.ok(event?.event === 'token_issued')
        const { jti } = decodeJwt(jws)
        const issuer = kind === 'idJag' ? ENTERPRISE : IDP
        const allowedBy = kind === 'idJag' ? 'id_jag' : 'jwt_bearer'
        assert.deepEqual(
          [event.sub, event.subject_iss, event.subject_jti, event.allowed_by],
          [token.sub, issuer, jti, allowedBy],
        )
      })
    }
  })
}

describe('an assertion as a grant', () => {
  test('may be presented again until it expires, and nothing is written', async () => {
    const world = await createGranting()
    for (const jws of [await sign(), await signIdJag()]) {
      for (let index = 0; index < 5; index++) assert.equal((await present(world, jws)).status, 200)
    }
    assert.deepEqual(world.writes, [])
    world.state.now = NOW + 331
    assert.equal((await present(world, await signIdJag())).reason, 'assertion_expired')
  })

  test('is used up where its issuer says so, by a request that succeeds', async () => {
    const world = await createGranting({ single_use: true })
    const jws = await signIdJag()
    assert.equal((await present(world, jws, { form: { scope: 'write' } })).reason, 'scope_not_held')
    assert.deepEqual(world.writes, [])
    assert.equal((await present(world, jws)).status, 200)
    const { body, reason } = await present(world, jws)
    assert.deepEqual([body['error'], reason], ['invalid_grant', 'assertion_replayed'])
  })

  test('cannot live longer than the record of its issuer says', async () => {
    const world = await createGranting({ access_token_lifetime: 60 })
    assert.equal((await present(world, await sign())).body['expires_in'], 60)
  })

  test('names its subject as the record of its issuer says', async () => {
    const subjectOf = async (subject: string, claims: Values) => {
      const { status, body, reason } = await present(await createGranting({ subject }), await sign({}, claims))
      return status === 200 ? decodeJwt(String(body['access_token'])).sub : reason
    }
    assert.equal(await subjectOf('sub', { tenant: 't' }), 'ada')
    assert.equal(await subjectOf('aud_sub', { aud_sub: 'u1' }), 'u1')
    assert.equal(await subjectOf('aud_sub', {}), `${IDP}|ada`)
    assert.equal(await subjectOf('aud_sub', { aud_sub: '' }), 'assertion_sub_wrong')
    // The subject would be taken for a client.
    assert.equal(await subjectOf('sub', { sub: 'app' }), 'assertion_sub_wrong')
    assert.equal(await subjectOf('aud_sub', { aud_sub: 'app' }), 'assertion_sub_wrong')
  })

  test('is refused when its issuer is trusted for authentication only, is disabled, or signs with another key', async () => {
    const world = await createGranting()
    assert.equal(
      (await present(world, await sign({}, { iss: 'https://ci.example' }))).reason,
      'federation_issuer_unknown',
    )
    const stranger = await makePair('ES256', 'one')
    const claims = { iss: IDP, sub: 'ada', aud: ISSUER, iat: NOW, exp: NOW + 300 }
    const forged = await signToken({ alg: 'ES256', kid: 'one' }, claims, stranger.privateKey)
    assert.equal((await present(world, forged)).reason, 'assertion_signature_wrong')
    const disabled = await createGranting({ disabled: true })
    assert.equal((await present(disabled, await sign())).reason, 'federation_issuer_unknown')
  })

  test('that cannot be accepted makes the server fetch nothing', async () => {
    const world = await createGranting()
    const isUnknown = ({ expect }: GrantCase) => 'reason' in expect && expect.reason === 'federation_issuer_unknown'
    for (const { claims } of grantCases.generic.filter(isUnknown)) await present(world, await sign({}, claims))
    for (const { claims } of grantCases.idJag.filter(isUnknown)) await present(world, await signIdJag({}, claims))
    await present(world, await signIdJag({}, { client_id: 'another' }))
    assert.deepEqual(world.fetched, [])
  })

  test('with a key needs a proof of it, and without one is bound to what the request proves', async () => {
    const world = await shared
    const key = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(key.publicKey)
    const jkt = await calculateJwkThumbprint(jwk)
    const prove = () =>
      new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(key.privateKey)
    for (const cnf of [{ jkt }, undefined]) {
      const { body, reason } = await present(world, await signIdJag({}, { cnf }), {}, { DPoP: await prove() })
      assert.equal(body['token_type'], 'DPoP', reason)
      assert.deepEqual(decodeJwt(String(body['access_token']))['cnf'], { jkt })
    }
    const other = await present(world, await signIdJag({}, { cnf: { jkt: 'other' } }), {}, { DPoP: await prove() })
    assert.equal(other.reason, 'assertion_not_bound')
  })

  test('is a grant that the metadata names, and no issuer', async () => {
    const { app } = await shared
    const text = await (await app.request('/.well-known/oauth-authorization-server')).text()
    const metadata = JSON.parse(text)
    assert.deepEqual(metadata.authorization_grant_profiles_supported, ['urn:ietf:params:oauth:grant-profile:id-jag'])
    assert.ok(metadata.grant_types_supported.includes(GRANT))
    for (const issuer of [IDP, ENTERPRISE]) assert.ok(!text.includes(issuer))
  })
})
