import assert from 'node:assert/strict'
import { decodeJwt, type JWK } from 'jose'
import { describe, test } from '#test'
import type { Reason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import {
  createFederated,
  credential,
  type FederatedWorld,
  federatedClient,
  makePair,
  signToken,
} from '../support/federation.ts'
import { guarded, ISSUER, NOW } from '../support/world.ts'

const IDP = 'https://issuer.example'
const OTHER = 'https://other.example'
const pair = await makePair('ES256', 'one')
const second = await makePair('ES256', 'two')
const stranger = await makePair('ES256', 'one')

const claimsOf = (more: object = {}) => ({
  iss: IDP,
  sub: 'job',
  aud: ISSUER,
  iat: NOW,
  exp: NOW + 300,
  jti: crypto.randomUUID(),
  ...more,
})
const sign = (more: object = {}, header: object = {}, key = pair.privateKey) =>
  signToken({ alg: 'ES256', kid: 'one', typ: 'JWT', ...header }, claimsOf(more), key)

const form = { client_id: 'c' }

async function createTrusting({
  issuer = {},
  keys = [pair.publicJwk],
  ...given
}: { issuer?: object; keys?: JWK[] } & Parameters<typeof createFederated>[0] = {}): Promise<FederatedWorld> {
  const world = await createFederated(given)
  await world.trust({ issuer: IDP, ...issuer })
  world.publish(IDP, keys)
  await world.put(federatedClient('c', [credential(IDP, { sub: 'job' })]))
  world.writes.length = 0
  return world
}

describe('single_use', () => {
  test('without it, a token authenticates again and nothing is written', async () => {
    const { send, writes } = await createTrusting()
    const jws = await sign()
    for (let index = 0; index < 20; index++) assert.equal((await send(jws, form)).status, 200)
    assert.deepEqual(writes, [])
    assert.equal((await send(await sign({ jti: undefined }), form)).status, 200)
  })

  test('with it, there is one mark, and one of 100 parallel requests is answered', async () => {
    const { send, writes, events } = await createTrusting({ issuer: { single_use: true } })
    const jws = await sign()
    assert.equal((await send(jws, form)).status, 200)
    assert.deepEqual(writes, ['add'])
    assert.equal((await send(jws, form)).reason, 'assertion_replayed')
    const parallel = await sign()
    events.length = 0
    const sent = await Promise.all(Array.from({ length: 100 }, () => send(parallel, form)))
    assert.equal(sent.filter(({ status }) => status === 200).length, 1)
    assert.equal(sent.filter(({ status }) => status === 401).length, 99)
    // The last event when a response arrives may be that of another request.
    const replayed = events.filter(
      (event) => event.event === 'request_refused' && event.reason === 'assertion_replayed',
    )
    assert.equal(replayed.length, 99)
  })

  test('a refused token does not use up its jti', async () => {
    const { send, writes, put } = await createTrusting({ issuer: { single_use: true } })
    await put(federatedClient('d', [credential(IDP, { sub: 'other' })]))
    writes.length = 0
    const jti = 'a'
    for (const wrong of [{ aud: 'https://evil.example' }, { exp: NOW - 30 }, { iat: NOW - 3601 }, { sub: 'other' }]) {
      assert.equal((await send(await sign({ jti, ...wrong }), form)).status, 401)
    }
    assert.equal((await send(await sign({ jti }, {}, stranger.privateKey), form)).status, 401)
    assert.equal((await send(await sign({ jti }), { client_id: 'd' })).reason, 'federation_no_rule')
    assert.deepEqual(writes, [])
    assert.equal((await send(await sign({ jti }), form)).status, 200)
    assert.equal((await send(await sign({ jti, exp: NOW + 200 }), form)).reason, 'assertion_replayed')
  })

  test('the jti of one issuer is not that of another, and the mark lasts until the end of the skew', async () => {
    const { send, trust, put, publish, state } = await createTrusting({ issuer: { single_use: true } })
    await trust({ issuer: OTHER, single_use: true })
    publish(OTHER, [second.publicJwk])
    await put(federatedClient('d', [credential(OTHER, { sub: 'job' })]))
    const jti = 'a'
    const jws = await sign({ jti })
    assert.equal((await send(jws, form)).status, 200)
    const other = await signToken({ alg: 'ES256' }, claimsOf({ iss: OTHER, jti }), second.privateKey)
    assert.equal((await send(other, { client_id: 'd' })).status, 200)
    state.now = NOW + 329
    assert.equal((await send(jws, form)).reason, 'assertion_replayed')
    state.now = NOW + 330
    assert.equal((await send(jws, form)).reason, 'assertion_expired')
  })

  test('the mark of a token that is valid for years lasts until no max_age could accept it', async () => {
    const { ledger } = memoryStores(() => NOW)
    const ends: number[] = []
    const add: typeof ledger.add = (key, value, expiresAt) => {
      ends.push(expiresAt)
      return ledger.add(key, value, expiresAt)
    }
    const { send, state } = await createTrusting({ issuer: { single_use: true }, ledger: { ...ledger, add } })
    const jws = await sign({ exp: 99_999_999_999 })
    assert.equal((await send(jws, form)).status, 200)
    assert.deepEqual(ends, [NOW + 86_401 + 60])
    state.now = NOW + 3600
    assert.equal((await send(jws, form)).reason, 'assertion_replayed')
    state.now++
    assert.equal((await send(jws, form)).reason, 'assertion_too_old')
  })

  test('a used token stays used when max_age is raised', async () => {
    const { send, trust, state } = await createTrusting({ issuer: { single_use: true, max_age: 60 } })
    const jws = await sign({ exp: NOW + 100_000 })
    assert.equal((await send(jws, form)).status, 200)
    await trust({ issuer: IDP, single_use: true, max_age: 86_400 })
    for (const age of [300, 86_400]) {
      state.now = NOW + age
      assert.equal((await send(jws, form)).reason, 'assertion_replayed')
    }
    state.now++
    assert.equal((await send(jws, form)).reason, 'assertion_too_old')
  })

  test('a ledger that fails is 503', async () => {
    const broken = { ...memoryStores(() => NOW).ledger, add: () => Promise.reject(new Error('down')) }
    const { send } = await createTrusting({ issuer: { single_use: true }, ledger: guarded({ ledger: broken }).ledger })
    const { status, reason } = await send(await sign(), form)
    assert.deepEqual([status, reason], [503, 'store_failed'])
  })
})

describe('the keys of an issuer', () => {
  test('are found by discovery, once, and again for an unknown kid, at most every 30 seconds', async () => {
    const { send, publish, state, fetched } = await createTrusting()
    assert.equal((await send(await sign(), form)).status, 200)
    assert.equal((await send(await sign(), form)).status, 200)
    assert.deepEqual(fetched, [`${IDP}/.well-known/openid-configuration`, `${IDP}/keys`])
    publish(IDP, [pair.publicJwk, second.publicJwk])
    const rotated = () => sign({}, { kid: 'two' }, second.privateKey)
    assert.equal((await send(await rotated(), form)).reason, 'assertion_key_unknown')
    state.now = NOW + 30
    assert.equal((await send(await rotated(), form)).status, 200)
    assert.equal(fetched.length, 4)
  })

  test('a flood of unknown kids causes one fetch in 30 seconds', async () => {
    const { send, fetched } = await createTrusting()
    for (let index = 0; index < 100; index++) {
      assert.equal((await send(await sign({}, { kid: `k${index}` }), form)).reason, 'assertion_key_unknown')
    }
    assert.equal(fetched.length, 2)
  })

  test('that cannot be fetched are 503, and held ones are used for an hour', async () => {
    const { send, published, state, fetched } = await createTrusting({ issuer: { max_age: 86_400 } })
    const all = [...published]
    published.clear()
    for (let index = 0; index < 3; index++) {
      const { status, reason, event } = await send(await sign(), form)
      assert.deepEqual([status, reason], [503, 'issuer_keys_failed'])
      assert.ok(event?.event === 'request_refused' && event.cause !== undefined)
    }
    assert.equal(fetched.length, 1)
    for (const [url, document] of all) published.set(url, document)
    state.now = NOW + 30
    assert.equal((await send(await sign(), form)).status, 200)
    published.clear()
    state.now = NOW + 30 + 300 + 3599
    const late = { exp: NOW + 9000 }
    assert.equal((await send(await sign(late), form)).status, 200)
    state.now++
    assert.equal((await send(await sign(late), form)).status, 503)
  })

  test('of two issuers are never pooled, though both name one URL', async () => {
    const { send, trust, put, published, publish } = await createTrusting({
      issuer: { jwks_uri: 'https://shared.example/a' },
    })
    published.set('https://shared.example/a', { keys: [pair.publicJwk] })
    await trust({ issuer: OTHER })
    publish(OTHER, [second.publicJwk])
    await put(federatedClient('d', [credential(OTHER, { sub: 'job' })]))
    assert.equal((await send(await sign(), form)).status, 200)
    const forged = await signToken({ alg: 'ES256', kid: 'one' }, claimsOf({ iss: OTHER }), pair.privateKey)
    assert.equal((await send(forged, { client_id: 'd' })).reason, 'assertion_key_unknown')
    const unnamed = await signToken({ alg: 'ES256' }, claimsOf({ iss: OTHER }), pair.privateKey)
    assert.equal((await send(unnamed, { client_id: 'd' })).reason, 'assertion_signature_wrong')
  })

  test('without a kid, five keys are tried', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, (_, index) => makePair('ES256', `k${index}`)))
    const keys = others.map(({ publicJwk }) => publicJwk)
    const jws = await sign({}, { kid: undefined })
    const found = await createTrusting({ keys: [...keys.slice(1), pair.publicJwk] })
    assert.equal((await found.send(jws, form)).status, 200)
    const missed = await createTrusting({ keys: [...keys, pair.publicJwk] })
    assert.equal((await missed.send(jws, form)).reason, 'assertion_signature_wrong')
    assert.equal((await missed.send(await sign(), form)).status, 200)
  })

  test('inline keys are used without any fetch', async () => {
    const { send, fetched } = await createTrusting({ issuer: { jwks: { keys: [pair.publicJwk] } } })
    assert.equal((await send(await sign(), form)).status, 200)
    assert.equal((await send(await sign({}, { kid: 'two' }), form)).reason, 'assertion_key_unknown')
    assert.deepEqual(fetched, [])
  })

  const metadata: readonly [name: string, document: object][] = [
    ['names another issuer', { issuer: `${IDP}/`, jwks_uri: `${IDP}/keys` }],
    ['names a private host', { issuer: IDP, jwks_uri: 'https://127.0.0.1/keys' }],
    ['names no keys', { issuer: IDP }],
    ['is no object', []],
  ]
  for (const [name, document] of metadata) {
    test(`are not those of a metadata document that ${name}`, async () => {
      const { send, published, fetched } = await createTrusting()
      published.set(`${IDP}/.well-known/openid-configuration`, document)
      assert.equal((await send(await sign(), form)).reason, 'issuer_keys_failed')
      assert.equal(fetched.length, 1)
    })
  }
})

describe('a stranger', () => {
  test('causes no fetch and no look-up of an issuer with 10,000 tokens of unknown issuers or unmatched claims', async () => {
    const { registry } = memoryStores(() => NOW)
    const read: string[] = []
    const get: typeof registry.get = (key, options) => {
      read.push(key)
      return registry.get(key, options)
    }
    const { send, exchange, fetched, writes, events } = await createTrusting({ registry: { ...registry, get } })
    const jws = await sign()
    const [header, , signature] = jws.split('.')
    for (let index = 0; index < 10_000; index++) {
      const made = index % 2 === 0 ? { iss: `https://${index}.example` } : { sub: `job-${index}` }
      const claims = btoa(JSON.stringify(claimsOf(made)))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replace(/=+$/, '')
      const ask = index % 4 < 2 ? send : exchange
      const { reason } = await ask(`${header}.${claims}.${signature}`, form)
      assert.equal(reason, index % 2 === 0 ? 'federation_issuer_unknown' : 'federation_no_rule')
      events.length = 0
    }
    assert.deepEqual([fetched, writes], [[], []])
    assert.deepEqual([...new Set(read)].sort(), ['client:c', `issuer:${IDP}`])
  })
})

describe('a token whose claims are refused', () => {
  const wrong: readonly [name: string, claims: object, reason: Reason][] = [
    ['expired', { exp: NOW - 30 }, 'assertion_expired'],
    ['not yet valid', { nbf: NOW + 31 }, 'assertion_not_yet_valid'],
    ['too old', { iat: NOW - 3601 }, 'assertion_too_old'],
    ['for another server', { aud: 'https://evil.example' }, 'assertion_aud_wrong'],
    ['without the jti that the issuer needs', { jti: undefined }, 'assertion_jti_missing'],
  ]
  for (const [name, claims, reason] of wrong) {
    test(`causes no fetch, though a rule matches: ${name}`, async () => {
      const { send, fetched } = await createTrusting({ issuer: { single_use: true } })
      const forged = await sign(claims, { kid: 'two' }, stranger.privateKey)
      for (const jws of [await sign(claims), forged]) {
        const sent = await send(jws, form)
        assert.deepEqual([sent.status, sent.reason], [401, reason])
      }
      assert.deepEqual(fetched, [])
    })
  }
})

describe('the event of a refusal', () => {
  const refused: readonly [name: string, claims: object, more: object, reason: Reason, isNamed: boolean][] = [
    ['no rule', { sub: 'other' }, {}, 'federation_no_rule', false],
    ['another issuer', { iss: OTHER }, {}, 'federation_issuer_unknown', false],
    ['expired', { exp: NOW - 30 }, {}, 'assertion_expired', true],
    ['another audience', { aud: OTHER }, {}, 'assertion_aud_wrong', true],
    ['a scope', {}, { scope: 'admin' }, 'scope_not_allowed', true],
  ]
  for (const [name, claims, more, reason, isNamed] of refused) {
    test(`${isNamed ? 'names' : 'does not name'} the token: ${name}`, async () => {
      const { send } = await createTrusting()
      const sent = await send(await sign({ jti: 'a', ...claims }), { ...form, ...more })
      assert.ok(sent.event?.event === 'request_refused')
      const { path: _path, code: _code, aud: _aud, ...told } = sent.event
      const token = { assertion_iss: IDP, assertion_sub: 'job', assertion_jti: 'a' }
      assert.deepEqual(told, { event: 'request_refused', reason, client_id: 'c', ...(isNamed && token) })
    })
  }

  test('names the token where its keys fail, are not those of the signer, or it was used before', async () => {
    const { send, published, state, events } = await createTrusting({ issuer: { single_use: true } })
    const [jws, all] = [await sign({ jti: 'a' }), [...published]]
    published.clear()
    const reasons = [(await send(jws, form)).reason]
    for (const [url, document] of all) published.set(url, document)
    state.now = NOW + 30
    for (const each of [await sign({ jti: 'a' }, {}, stranger.privateKey), jws, jws]) {
      reasons.push((await send(each, form)).reason)
    }
    reasons.push((await send(jws, { ...form, token: 'x' }, '/introspect')).reason)
    const replayed = 'assertion_replayed'
    assert.deepEqual(reasons, ['issuer_keys_failed', 'assertion_signature_wrong', undefined, replayed, replayed])
    for (const event of events) {
      assert.ok(event.event === 'request_refused' || event.event === 'token_issued')
      const { client_id, assertion_iss, assertion_sub, assertion_jti } = event
      assert.deepEqual([client_id, assertion_iss, assertion_sub, assertion_jti], ['c', IDP, 'job', 'a'])
    }
  })

  test('leaves out what is no text', async () => {
    const { send } = await createTrusting()
    const { event } = await send(await sign({ jti: 7, exp: NOW - 30 }), form)
    assert.ok(event?.event === 'request_refused')
    assert.deepEqual([event.assertion_iss, event.assertion_sub, event.assertion_jti], [IDP, 'job', undefined])
  })
})

describe('the lifetime of a credential', () => {
  test('shortens that of the token, and tokens of two credentials are not reused for each other', async () => {
    const { send, put } = await createTrusting({ tokenReuseSeconds: 60 })
    const rules = [
      credential(IDP, { sub: 'job', environment: 'production' }, { id: 'p', access_token_lifetime: 600 }),
      credential(IDP, { sub: 'job', environment: 'staging' }, { id: 's', access_token_lifetime: 600 }),
      credential(IDP, { sub: 'job', environment: 'test' }, { id: 't' }),
      credential(IDP, { sub: 'job', environment: 'long' }, { id: 'l', access_token_lifetime: 9999 }),
    ]
    await put(federatedClient('d', rules))
    const grant = async (environment: string) => {
      const { body, event } = await send(await sign({ environment }), { client_id: 'd' })
      assert.ok(event?.event === 'token_issued')
      const { exp = 0, jti } = decodeJwt(String(body['access_token']))
      return { lifetime: exp - NOW, jti, id: event.credential_id }
    }
    const one = await grant('production')
    assert.deepEqual([one.lifetime, one.id], [600, 'p'])
    assert.equal((await grant('production')).jti, one.jti)
    const two = await grant('staging')
    assert.deepEqual([two.lifetime, two.id], [600, 's'])
    assert.notEqual(two.jti, one.jti)
    assert.deepEqual([(await grant('test')).lifetime, (await grant('long')).lifetime], [1800, 1800])
  })
})
