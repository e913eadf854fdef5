import assert from 'node:assert/strict'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { generateKeyring, type Keyring, signingKeyOf } from '../../src/keys/keyring.ts'
import { hashClientId } from '../../src/tokens/revocations.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { ACCESS_TOKEN, api, CERTIFICATE, claimsOf, createExchanging, SERVICES } from '../support/exchange.ts'
import { TOKEN_EXCHANGE } from '../support/federation.ts'
import { ISSUER, NOW } from '../support/world.ts'
import { type Origin, type OwnExchangeCase, ownExchanges } from './own_token_exchange.ts'

const GATEWAY: Origin = { client_id: 'gateway', form: { resource: api('a') } }
const shared = createExchanging()

async function ask({ from = GATEWAY, actor, by, form }: OwnExchangeCase) {
  const { grant, exchange } = await shared
  const subject = await grant(from.form ?? {}, from.client_id)
  const acting = actor && {
    actor_token: await grant(actor.form ?? {}, actor.client_id),
    actor_token_type: ACCESS_TOKEN,
  }
  return { subject, acting, ...(await exchange(subject, by, { ...acting, ...form })) }
}

for (const [part, cases] of Object.entries(ownExchanges)) {
  describe(`exchange of an access token, ${part}`, () => {
    for (const each of cases) {
      test(each.name, async () => {
        const { expect } = each
        const { status, reason, answer, subject, acting } = await ask(each)
        assert.equal(status, expect.status, reason)
        if (expect.status !== 200) {
          assert.deepEqual([answer['error'], reason], [expect.error, expect.reason])
          return
        }
        assert.deepEqual([answer['issued_token_type'], answer['token_type']], [ACCESS_TOKEN, 'bearer'])
        const claims = claimsOf(answer['access_token'])
        const { sub = claims['sub'], aud = claims['aud'], scope = answer['scope'] } = expect
        const act = 'act' in expect ? expect.act : claims['act']
        assert.deepEqual([claims['sub'], claims['aud'], answer['scope'], claims['act']], [sub, aud, scope, act])
        for (const [name, value] of Object.entries(expect.claims ?? {})) assert.deepEqual(claims[name], value, name)
        const event = (await shared).events.at(-1)
        assert.ok(event?.event === 'token_issued')
        assert.equal(event.subject_jti, claimsOf(subject)['jti'])
        assert.equal(event.actor_jti, acting && claimsOf(acting.actor_token)['jti'])
        assert.equal(event.actor, Object(claims['act']).sub)
        assert.equal(event.allowed_by, expect.allowed_by ?? event.allowed_by)
        assert.notEqual(claims['jti'], claimsOf(subject)['jti'])
      })
    }
  })
}

const proofKey = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(proofKey.publicKey)
const jkt = await calculateJwkThumbprint(jwk)

const prove = async (pair = proofKey) =>
  new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(pair.publicKey) })
    .sign(pair.privateKey)

describe('a chain of exchanges', () => {
  test('only loses scopes and time, and names everyone who acts', async () => {
    const { grant, exchanged, state, writes } = await createExchanging()
    let token = await grant({ resource: api('a'), scope: 'read write admin' }, 'gateway')
    const tokens = [claimsOf(token)]
    for (const [index, service] of ['a', 'b', 'c'].entries()) {
      state.now += 60
      token = await exchanged(token, service, {
        resource: api(SERVICES[index + 1] ?? ''),
        ...(index > 0 && { scope: 'read' }),
      })
      tokens.push(claimsOf(token))
    }
    assert.deepEqual(
      tokens.map(({ sub, client_id, aud, scope, exp, act }) => [sub, client_id, aud, scope, exp, act]),
      [
        ['gateway', 'gateway', api('a'), 'read write admin', NOW + 1800, undefined],
        ['gateway', 'a', api('b'), 'read write', NOW + 1800, { sub: 'a' }],
        ['gateway', 'b', api('c'), 'read', NOW + 1800, { sub: 'b', act: { sub: 'a' } }],
        ['gateway', 'c', api('d'), 'read', NOW + 1800, { sub: 'c', act: { sub: 'b', act: { sub: 'a' } } }],
      ],
    )
    assert.deepEqual(writes, [])
  })

  test('ends at the sixth actor', async () => {
    const { grant, exchanged, exchange } = await createExchanging()
    let token = await grant({ resource: api('a') }, 'gateway')
    for (const [index, service] of SERVICES.slice(0, 5).entries()) {
      token = await exchanged(token, service, { resource: api(SERVICES[index + 1] ?? '') })
    }
    const { status, answer, reason } = await exchange(token, 'f', { resource: api('g') })
    assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'actors_too_many'])
  })

  test('ends at 2 KiB of actors', async () => {
    const { grant, exchange, put, registry } = await createExchanging()
    const held = JSON.parse((await registry.get('client:a')) ?? '{}')
    let token = await grant({ resource: api('a') }, 'gateway')
    const reasons: unknown[] = []
    for (const letter of ['p', 'q', 'r', 's']) {
      // A quotation mark takes two characters in JSON.
      const client_id = '"'.repeat(255) + letter
      await put({ ...held, client_id, resources: [api('a')], token_exchange: { as: [api('a')] } })
      const { answer, reason } = await exchange(token, client_id, { resource: api('a') })
      reasons.push(reason)
      token = String(answer['access_token'])
    }
    assert.deepEqual(reasons, [undefined, undefined, undefined, 'actors_too_many'])
  })

  test('names the client of a token whose subject it is not, once another client passes the token on', async () => {
    const { grant, exchanged, put, registry, operate, isActive } = await createExchanging()
    const held = JSON.parse((await registry.get('client:quiet')) ?? '{}')
    const impersonated = await exchanged(await grant({ resource: api('a') }, 'gateway'), 'quiet', {
      resource: api('b'),
    })
    assert.equal('act' in claimsOf(impersonated), false)
    const passed = await exchanged(impersonated, 'b', { resource: api('c') })
    assert.deepEqual(claimsOf(passed)['act'], { sub: 'b', act: { sub: 'quiet' } })
    await put({
      ...held,
      client_id: 'quiet-b',
      resources: [api('c')],
      token_exchange: { as: [api('b')], impersonation: true },
    })
    const hidden = await exchanged(impersonated, 'quiet-b', { resource: api('c') })
    assert.deepEqual(claimsOf(hidden)['act'], { sub: 'quiet' })
    await operate('POST', '/revocations', { client_id: 'quiet' })
    assert.equal(await isActive(hidden, 'inspector'), false)
  })
})

describe('denials in a chain', () => {
  const createChain = async () => {
    const world = await createExchanging()
    const chain = [await world.grant({ resource: api('a') }, 'gateway')]
    for (const [index, service] of ['a', 'b', 'c'].entries()) {
      chain.push(await world.exchanged(chain[index] ?? '', service, { resource: api(SERVICES[index + 1] ?? '') }))
    }
    const active = async () => Promise.all(chain.map((token) => world.isActive(token, 'inspector')))
    assert.deepEqual(await active(), [true, true, true, true])
    return { ...world, chain, active }
  }
  const change = async ({ put, registry }: Awaited<ReturnType<typeof createExchanging>>, client_id: string) =>
    put({ ...JSON.parse((await registry.get(`client:${client_id}`)) ?? '{}'), disabled: true })

  for (const [client_id, left] of [
    ['gateway', [false, false, false, false]],
    ['a', [true, false, false, false]],
    ['b', [true, true, false, false]],
    ['c', [true, true, true, false]],
    ['d', [true, true, true, true]],
  ] as const) {
    test(`a cut of ${client_id} ends what it is a party to`, async () => {
      const { active, operate } = await createChain()
      await operate('POST', '/revocations', { client_id })
      assert.deepEqual(await active(), left)
    })

    test(`so does the record of ${client_id} when it is disabled`, async () => {
      const world = await createChain()
      await change(world, client_id)
      assert.deepEqual(await world.active(), left)
    })

    test(`and the deletion of ${client_id}`, async () => {
      const { active, operate } = await createChain()
      await operate('DELETE', `/register/${client_id}`)
      assert.deepEqual(await active(), left)
    })
  }

  test('a denied party ends the exchange, too', async () => {
    const { chain, exchange, operate } = await createChain()
    await operate('POST', '/revocations', { client_id: 'a' })
    const { status, reason } = await exchange(chain[3], 'd', { resource: api('e') })
    assert.deepEqual([status, reason], [400, 'subject_token_wrong'])
  })

  test('a revocation of one token ends that one alone', async () => {
    const { active, chain, revoke } = await createChain()
    await revoke(chain[0] ?? '', 'gateway')
    assert.deepEqual(await active(), [false, true, true, true])
    await revoke(chain[2] ?? '', 'gateway')
    assert.deepEqual(await active(), [false, true, true, true])
    await revoke(chain[2] ?? '', 'b')
    assert.deepEqual(await active(), [false, true, false, true])
  })

  test('are found by the hashes of the parties in the public list', async () => {
    const { app, operate } = await createChain()
    await operate('POST', '/revocations', { client_id: 'a' })
    const { client_hashes } = claimsOf(await (await app.request('/revocations')).text())
    assert.deepEqual(Object.keys(Object(client_hashes)), [await hashClientId('a')])
  })
})

describe('an exchange', () => {
  for (const profile of ['rfc9068', 'fosite'] as const) {
    test(`works with tokens of the profile ${profile}`, async () => {
      const { grant, exchanged } = await createExchanging({ accessTokenProfile: profile })
      const token = claimsOf(
        await exchanged(await grant({ resource: api('a'), scope: 'read' }, 'gateway'), 'a', { resource: api('b') }),
      )
      assert.deepEqual([token['sub'], token['act']], ['gateway', { sub: 'a' }])
      assert.deepEqual([token['aud']].flat(), [api('b')])
      assert.deepEqual(token['scp'] ?? token['scope'], profile === 'fosite' ? ['read'] : 'read')
    })
  }

  test('never lives longer than what it was exchanged for', async () => {
    const { grant, exchange, exchanged, state, put, registry } = await createExchanging()
    const held = JSON.parse((await registry.get('client:gateway')) ?? '{}')
    await put({ ...held, access_token_lifetime: 100 })
    const token = await grant({ resource: api('a') }, 'gateway')
    state.now += 60
    const { answer } = await exchange(token, 'a', { resource: api('b') })
    assert.equal(answer['expires_in'], 40)
    const acting = { actor_token: await grant({}, 'gateway'), actor_token_type: ACCESS_TOKEN }
    assert.equal(claimsOf(await exchanged(token, 'gateway', acting))['exp'], NOW + 100)
    state.now += 40
    assert.equal((await exchange(token, 'a', { resource: api('b') })).reason, 'subject_token_wrong')
  })

  test('refuses each JWT of this server that is no access token, as subject and as actor', async () => {
    const keyring = await generateKeyring({ lifetimeSeconds: 2_592_000 })
    const { grant, exchange, introspect } = await createExchanging({ keyring })
    const token = await grant({ resource: api('a') }, 'gateway')
    for (const jws of await jwtsOf(keyring, token, introspect)) {
      const subject = await exchange(jws, 'a', { resource: api('b') })
      assert.deepEqual([subject.status, subject.reason], [400, 'subject_token_wrong'])
      const form = { resource: api('b'), actor_token: jws, actor_token_type: ACCESS_TOKEN }
      const actor = await exchange(token, 'a', form)
      assert.deepEqual([actor.status, actor.reason], [400, 'actor_token_wrong'])
    }
  })

  test('refuses a token of another issuer or another key', async () => {
    const { exchange } = await createExchanging()
    const other = await createExchanging({ keyring: await generateKeyring({ lifetimeSeconds: 2_592_000 }) })
    const token = await other.grant({ resource: api('a') }, 'gateway')
    assert.equal((await exchange(token, 'a', { resource: api('b') })).reason, 'subject_token_wrong')
  })

  const denials: Readonly<Record<string, (world: Awaited<typeof shared>, token: string) => Promise<unknown>>> = {
    'that was revoked': ({ revoke }, token) => revoke(token, 'gateway'),
    'of a client whose tokens are cut': ({ operate }) => operate('POST', '/revocations', { client_id: 'gateway' }),
    'when all tokens are cut': ({ operate }) => operate('POST', '/revocations', {}),
    'of a disabled client': async ({ put, registry }) =>
      put({ ...JSON.parse((await registry.get('client:gateway')) ?? '{}'), disabled: true }),
    'of a deleted client': ({ registry }) => registry.delete('client:gateway'),
  }
  for (const [name, deny] of Object.entries(denials)) {
    test(`refuses a token ${name}`, async () => {
      const world = await createExchanging()
      const token = await world.grant({ resource: api('a') }, 'gateway')
      const acting = { actor_token: await world.grant({}, 'gateway'), actor_token_type: ACCESS_TOKEN }
      assert.equal((await world.exchange(token, 'a', { resource: api('b') })).status, 200)
      await deny(world, token)
      const { status, reason } = await world.exchange(token, 'a', { resource: api('b') })
      assert.deepEqual([status, reason], [400, 'subject_token_wrong'])
      await world.revoke(acting.actor_token, 'gateway')
      world.state.now += 120
      const own = await world.exchange(await world.grant({}, 'a'), 'a', acting)
      assert.deepEqual([own.status, own.reason], [400, 'actor_token_wrong'])
    })
  }

  test('of a token that the client holds for another subject never adds a resource server', async () => {
    const { grant, exchange, exchanged, app, as } = await createExchanging()
    const token = await grant({ resource: api('a') }, 'gateway')
    const held = await exchanged(token, 'a', { resource: api('b') })
    const added = await exchange(held, 'a', { resource: api('a') })
    assert.deepEqual([added.answer['error'], added.reason], ['invalid_target', 'resource_not_allowed'])
    assert.equal(claimsOf(await exchanged(held, 'a', { scope: 'read' }))['aud'], api('b'))
    const form = { grant_type: TOKEN_EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN, ...as('a') }
    const body = new URLSearchParams({ ...form, resource: api('a') })
    body.append('resource', api('b'))
    const response = await app.request('/token', { method: 'POST', body })
    const both = String(((await response.json()) as { access_token: string }).access_token)
    assert.deepEqual(claimsOf(both)['aud'], [api('a'), api('b')])
    assert.equal(claimsOf(await exchanged(both, 'a', { resource: api('a') }))['aud'], api('a'))
  })

  test('needs the client itself that may_act names, not a token of it', async () => {
    const { grant, exchange, exchanged } = await createExchanging()
    const impersonated = await exchanged(await grant({ resource: api('a') }, 'a'), 'quiet', { resource: api('b') })
    const { sub, client_id, act } = claimsOf(impersonated)
    assert.deepEqual([sub, client_id, act], ['a', 'quiet', undefined])
    const acting = { actor_token: impersonated, actor_token_type: ACCESS_TOKEN }
    const token = await grant({ resource: api('a') }, 'strict')
    const { status, reason } = await exchange(token, 'quiet', { resource: api('b'), ...acting })
    assert.deepEqual([status, reason], [400, 'may_act_other'])
  })

  test('of a bound token of the client needs the key, and stays bound to it', async () => {
    const { grant, exchange } = await createExchanging()
    const token = await grant({ resource: api('a') }, 'gateway', { DPoP: await prove() })
    assert.deepEqual(claimsOf(token)['cnf'], { jkt })
    const without = await exchange(token, 'gateway')
    assert.deepEqual([without.status, without.reason], [400, 'exchange_not_bound'])
    const another = await exchange(token, 'gateway', {}, { DPoP: await prove(await generateKeyPair('ES256')) })
    assert.equal(another.reason, 'exchange_not_bound')
    const { answer } = await exchange(token, 'gateway', {}, { DPoP: await prove() })
    assert.equal(answer['token_type'], 'DPoP')
    assert.deepEqual(claimsOf(answer['access_token'])['cnf'], { jkt })
    const acting = {
      resource: api('b'),
      actor_token: await grant({}, 'a', { DPoP: await prove() }),
      actor_token_type: ACCESS_TOKEN,
    }
    assert.equal(
      (await exchange(await grant({ resource: api('a') }, 'gateway'), 'a', acting)).reason,
      'exchange_not_bound',
    )
  })

  test('of a token that is bound to a certificate needs that certificate', async () => {
    const { grant, exchange } = await createExchanging()
    const token = await grant({ resource: api('a') }, 'certified', { [CERTIFICATE]: 'one' })
    assert.equal((await exchange(token, 'certified', {}, { [CERTIFICATE]: 'two' })).reason, 'exchange_not_bound')
    const { answer } = await exchange(token, 'certified', {}, { [CERTIFICATE]: 'one' })
    assert.deepEqual(claimsOf(answer['access_token'])['cnf'], { 'x5t#S256': 'one' })
  })

  test('of a bound token of another client binds the new one to what the request proves', async () => {
    const { grant, exchanged } = await createExchanging()
    const token = await grant({ resource: api('a') }, 'bound', {
      DPoP: await prove(await generateKeyPair('ES256', { extractable: true })),
    })
    assert.equal('cnf' in claimsOf(await exchanged(token, 'a', { resource: api('b') })), false)
    const proved = await exchanged(token, 'a', { resource: api('b') }, { DPoP: await prove() })
    assert.deepEqual(claimsOf(proved)['cnf'], { jkt })
  })

  test('is not answered from memory', async () => {
    const { grant, exchanged } = await createExchanging({ tokenReuseSeconds: 60 })
    const token = await grant({ resource: api('a') }, 'gateway')
    const [one, two] = [
      await exchanged(token, 'a', { resource: api('b') }),
      await exchanged(token, 'a', { resource: api('b') }),
    ]
    assert.notEqual(claimsOf(one)['jti'], claimsOf(two)['jti'])
  })

  test('writes nothing', async () => {
    const { grant, exchanged, writes } = await createExchanging()
    for (let index = 0; index < 5; index++) {
      await exchanged(await grant({ resource: api('a') }, 'gateway'), 'a', { resource: api('b') })
    }
    assert.deepEqual(writes, [])
  })

  test('refuses a parameter that is given twice', async () => {
    const { app, grant, as } = await shared
    for (const name of [
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'requested_token_type',
      'scope',
    ]) {
      const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', ...as('a') })
      body.append('subject_token', await grant({ resource: api('a') }, 'gateway'))
      body.append('subject_token_type', ACCESS_TOKEN)
      body.append('resource', api('b'))
      body.append(name, 'x')
      body.append(name, 'x')
      const response = await app.request('/token', { method: 'POST', body })
      assert.equal(response.status, 400, name)
      assert.equal(((await response.json()) as { error: string }).error, 'invalid_request')
    }
  })
})

/** Every JWT of another type, signed by a key of this server with the claims of a good access token, or issued by it. */
async function jwtsOf(
  keyring: Keyring,
  token: string,
  introspect: Awaited<typeof shared>['introspect'],
): Promise<readonly string[]> {
  const types = [
    'token-introspection+jwt',
    'revocations+jwt',
    'dpop+jwt',
    'oauth-id-jag+jwt',
    'client-authentication+jwt',
  ]
  const others = ['logout+jwt', 'secevent+jwt', 'txntoken+jwt', 'JOSE', '']
  const claims = claimsOf(token)
  const key = signingKeyOf(await keyring.at(NOW))
  const forged = await Promise.all([...types, ...others].map((typ) => signJwt(claims, typ, key)))
  const { text } = await introspect(token, 'inspector', { Accept: 'application/token-introspection+jwt' })
  assert.equal(text.split('.').length, 3)
  return [...forged, text]
}
