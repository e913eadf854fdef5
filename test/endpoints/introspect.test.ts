import assert from 'node:assert/strict'
import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientKey } from '../../src/clients/registry.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { createRevocable, RS } from '../support/revocable.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const world = createRevocable()

describe('POST /introspect', () => {
  test('returns the claims of a token to a resource server in its audience', async () => {
    const { grant, introspect } = await world
    const token = await grant({ resource: RS, scope: 'read write' })
    const { status, headers, answer } = await introspect(token)
    assert.equal(status, 200)
    assert.equal(headers.get('Cache-Control'), 'no-store')
    const { jti } = decodeJwt(token)
    const said = { iss: ISSUER, sub: 'test-client', client_id: 'test-client', aud: RS, scope: 'read write', jti }
    assert.deepEqual(answer, { active: true, ...said, iat: NOW, exp: NOW + 1800, token_type: 'bearer' })
  })

  test('reports a token to its own client, and to no other client', async () => {
    const { grant, isActive } = await world
    const token = await grant()
    assert.equal(await isActive(token, 'test-client'), true)
    for (const other of ['rs2', 'no-flag', 'a']) assert.equal(await isActive(token, other), false)
    const forNobody = await grant({})
    assert.equal(await isActive(forNobody), false)
    assert.equal(await isActive(forNobody, 'test-client'), true)
  })

  test('an inactive answer has no other member, whatever the cause', async () => {
    const { grant, introspect, keyring, state } = await createRevocable()
    const token = await grant()
    const { privateKey } = await generateKeyPair('RS256')
    const kid = keyring.at(NOW).signing()?.kid ?? ''
    const forged = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'at+jwt' })
      .sign(privateKey)
    const ours = keyring.at(NOW).signing()
    assert.ok(ours !== undefined)
    const sign = (claims: Record<string, unknown>, typ = 'at+jwt') =>
      signJwt({ ...decodeJwt(token), ...claims }, typ, ours)
    for (const bad of [
      'x',
      'a.b.c',
      '',
      `${token}A`,
      token.slice(0, -8),
      forged,
      await sign({}, 'revocations+jwt'),
      await sign({}, 'token-introspection+jwt'),
      await sign({ iss: 'https://evil.example' }),
      await sign({ exp: NOW }),
      await sign({ exp: undefined }),
      await sign({ jti: undefined }),
      `${btoa('{"alg":"none","typ":"at+jwt"}').replace(/=+$/, '')}.${token.split('.')[1]}.AAAA`,
      'x'.repeat(20_000),
    ]) {
      const { status, answer } = await introspect(bad)
      if (bad === '') assert.equal(status, 400)
      else assert.deepEqual([status, answer], [200, { active: false }])
    }
    state.now = NOW + 1800
    assert.deepEqual((await introspect(token)).answer, { active: false })
  })

  test('returns the confirmation of a bound token', async () => {
    const { grant, introspect } = await world
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const claims = { htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() }
    const DPoP = await new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(privateKey)
    const { answer } = await introspect(await grant({ resource: RS }, 'test-client', { DPoP }))
    assert.deepEqual([answer['active'], answer['token_type']], [true, 'DPoP'])
    assert.ok('jkt' in (answer['cnf'] as object))
  })

  test('returns scope for the fosite profile as well', async () => {
    const { grant, introspect } = await createRevocable({ accessTokenProfile: 'fosite' })
    const { answer } = await introspect(await grant({ resource: RS, scope: 'read write' }))
    assert.deepEqual([answer['active'], answer['scope']], [true, 'read write'])
  })

  test('answers with a signed JWT when the Accept header asks for one', async () => {
    const { grant, introspect, keyring } = await world
    const headers = { Accept: 'application/token-introspection+jwt' }
    for (const [token, active] of [
      [await grant(), true],
      ['x', false],
    ] as const) {
      const answer = await introspect(token, 'rs', headers)
      assert.equal(answer.headers.get('Content-Type'), 'application/token-introspection+jwt')
      const { payload } = await jwtVerify(
        answer.text,
        createLocalJWKSet({ keys: [...keyring.at(NOW).published.keys] }),
        {
          issuer: ISSUER,
          audience: 'rs',
          typ: 'token-introspection+jwt',
          currentDate: new Date(NOW * 1000),
        },
      )
      assert.equal((payload['token_introspection'] as { active: boolean }).active, active)
    }
  })

  test('a token of an unknown or disabled client is inactive', async () => {
    const { grant, isActive, registry, state } = await createRevocable()
    const token = await grant()
    const record = (await registry.get(clientKey('test-client'))) ?? ''
    for (const held of [undefined, JSON.stringify({ ...JSON.parse(record), disabled: true })]) {
      if (held === undefined) await registry.delete(clientKey('test-client'))
      else await registry.put(clientKey('test-client'), held)
      state.now += 30
      assert.equal(await isActive(token), false)
      await registry.put(clientKey('test-client'), record)
      state.now += 30
      assert.equal(await isActive(token), true)
    }
  })

  test('a public client is not authenticated and may not introspect even its own tokens', async () => {
    const { grant, post, events } = await world
    const token = await grant()
    const { status, answer, reason } = await post('/introspect', { token, client_id: 'public' })
    assert.deepEqual([status, answer['error'], reason], [401, 'invalid_client', 'client_public'])
    assert.equal(events.at(-1)?.client_id, 'public')
  })

  test('the scope alone, granted by a wildcard, does not allow introspection', async () => {
    const { grant, post } = await world
    const token = await grant()
    const wild = await grant({ scope: 'introspection' }, 'wildcard')
    assert.equal(decodeJwt(wild)['scope'], 'introspection')
    const { status, reason } = await post('/introspect', { token }, { Authorization: `Bearer ${wild}` })
    assert.deepEqual([status, reason], [401, 'token_wrong'])
  })

  test('accepts a bearer token of the fosite profile, which has no audience', async () => {
    const { grant, post } = await createRevocable({ accessTokenProfile: 'fosite' })
    const [token, inspecting] = [await grant(), await grant({ scope: 'introspection' }, 'inspector')]
    assert.deepEqual(decodeJwt(inspecting).aud, [])
    const { answer } = await post('/introspect', { token }, { Authorization: `Bearer ${inspecting}` })
    assert.equal(answer['active'], true)
  })

  test('accepts a bearer token alone, not next to other credentials', async () => {
    const { grant, post, as } = await world
    const token = await grant()
    const Authorization = `Bearer ${await grant({ scope: 'introspection' }, 'inspector')}`
    for (const more of [
      { client_secret: 'wrong' },
      as('inspector'),
      as('rs'),
      { client_id: 'rs' },
      { client_assertion: 'a.b.c' },
      { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
    ]) {
      const { status, answer, reason } = await post('/introspect', { token, ...more }, { Authorization })
      assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'credentials_several'])
    }
    assert.equal((await post('/introspect', { token, client_id: 'inspector' }, { Authorization })).status, 200)
  })

  test('accepts only a bearer token with the scope introspection', async () => {
    const { grant, post, state } = await createRevocable()
    const token = await grant()
    const bearer = (jwt: string) => post('/introspect', { token }, { Authorization: `Bearer ${jwt}` })
    const inspecting = await grant({ scope: 'introspection' }, 'inspector')
    assert.equal((await bearer(inspecting)).answer['active'], true)
    for (const wrong of [
      await grant({ scope: 'read' }, 'inspector'),
      await grant({ scope: 'introspection', resource: RS }, 'inspector'),
      'x',
    ]) {
      const { status, answer, reason } = await bearer(wrong)
      assert.deepEqual([status, answer['error'], reason], [401, 'invalid_token', 'token_wrong'])
    }
    state.now = NOW + 1800
    assert.equal((await bearer(inspecting)).status, 401)
  })

  test('requires authentication, a form, and a token', async () => {
    const { post, as, app } = await world
    assert.equal((await post('/introspect', { token: 'x' })).status, 401)
    assert.equal(
      (await post('/introspect', { token: 'x', client_id: 'rs', client_secret: 'wrong' })).reason,
      'secret_wrong',
    )
    assert.deepEqual((await post('/introspect', as('rs'))).reason, 'token_parameter_missing')
    for (const path of ['/introspect', '/revoke']) {
      assert.equal((await app.request(`${ISSUER}${path}?token=x`)).status, 405)
    }
  })

  test('a caller that asks too often gets 429, other callers do not', async () => {
    const { introspect, state } = await createRevocable({ introspectionsPerMinute: 3 })
    for (let index = 0; index < 3; index++) assert.equal((await introspect('x')).status, 200)
    const { status, reason, headers } = await introspect('x')
    assert.deepEqual([status, reason, headers.get('Retry-After')], [429, 'rate_limited', '60'])
    assert.equal((await introspect('x', 'rs2')).status, 200)
    state.now = NOW + 60
    assert.equal((await introspect('x')).status, 200)
  })
})

describe('without a ledger', () => {
  test('the endpoints are absent, also from the metadata', async () => {
    const { app } = await createWorld()
    for (const path of ['/introspect', '/revoke', '/revocations']) {
      assert.equal((await app.request(ISSUER + path, { method: 'POST' })).status, 404)
    }
  })

  test('with a ledger, the metadata names the endpoint', async () => {
    const { app } = await world
    const document = (await (await app.request(`${ISSUER}/.well-known/oauth-authorization-server`)).json()) as Record<
      string,
      unknown
    >
    assert.equal(document['introspection_endpoint'], `${ISSUER}/introspect`)
    assert.equal(document['revocation_endpoint'], `${ISSUER}/revoke`)
    assert.deepEqual(document['introspection_endpoint_auth_methods_supported'], ['client_secret_post'])
    assert.deepEqual(document['introspection_signing_alg_values_supported'], ['RS256'])
  })
})
