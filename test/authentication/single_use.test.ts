import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { nonces } from '../../src/assertions/nonce.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { deriveHmacKey } from '../../src/keys/derived_key.ts'
import type { Reason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import {
  type Answered,
  createFederated,
  credential,
  type FederatedWorld,
  federatedClient,
  makePair,
  signToken,
} from '../support/federation.ts'
import { ISSUER, NOW } from '../support/world.ts'

const IDP = 'https://issuer.example'
const pair = await makePair('ES256', 'one')
const form = { client_id: 'c' }

const sign = () =>
  signToken(
    { alg: 'ES256', kid: 'one' },
    { iss: IDP, sub: 'job', aud: ISSUER, iat: NOW, exp: NOW + 300, jti: crypto.randomUUID() },
    pair.privateKey,
  )

/** A world with DPoP nonces, and clients with a rule for an issuer whose tokens may be used once, unless they are to be reusable. */
async function createOnce({ single_use = true } = {}): Promise<FederatedWorld> {
  const made = nonces(await deriveHmacKey('secret', 'dpop nonces'))
  const confirmations = [dpop({ ledger: memoryStores(() => NOW).ledger, nonces: made })]
  const world = await createFederated({ confirmations })
  await world.trust({ issuer: IDP, single_use })
  world.publish(IDP, [pair.publicJwk])
  const rules = [credential(IDP, { sub: 'job' })]
  await world.put(federatedClient('c', rules, { resources: ['urn:example:gone'] }))
  await world.put(federatedClient('no grant', rules, { grant_types: [] }))
  await world.put(federatedClient('bound', rules, { dpop_bound_access_tokens: true }))
  world.writes.length = 0
  return world
}

/** The ways to send a platform token to the token endpoint. */
const WAYS: readonly [name: string, send: (world: FederatedWorld, jws: string, more: object) => Promise<Answered>][] = [
  ['client assertion', (world, jws, more) => world.send(jws, { ...form, ...more })],
  ['subject token', (world, jws, more) => world.exchange(jws, { ...form, ...more })],
]

const refused: readonly [name: string, more: Record<string, string>, reason: Reason][] = [
  ['a grant that the client may not use', { client_id: 'no grant' }, 'grant_type_not_allowed'],
  ['a scope that is not allowed', { scope: 'admin' }, 'scope_not_allowed'],
  ['a resource that is not allowed', { resource: 'urn:example:other' }, 'resource_not_allowed'],
  ['a resource that is gone', { resource: 'urn:example:gone' }, 'resource_unknown'],
  ['a missing proof', { client_id: 'bound' }, 'dpop_missing'],
]

for (const [way, send] of WAYS) {
  describe(`a ${way} that may be used once, in a request that is refused,`, () => {
    for (const [name, more, reason] of refused) {
      test(`is not used up: ${name}`, async () => {
        const world = await createOnce()
        const jws = await sign()
        for (let time = 0; time < 2; time++) assert.equal((await send(world, jws, more)).reason, reason)
        assert.deepEqual(world.writes, [])
        assert.equal((await send(world, jws, {})).status, 200)
        assert.deepEqual(world.writes, ['add'])
        const { status, reason: replayed, event } = await send(world, jws, {})
        assert.deepEqual([status, replayed, event?.client_id], [401, 'assertion_replayed', 'c'])
      })
    }
  })

  test(`one of 20 parallel uses of a ${way} is answered`, async () => {
    const world = await createOnce()
    const jws = await sign()
    const sent = await Promise.all(Array.from({ length: 20 }, () => send(world, jws, {})))
    assert.deepEqual(sent.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 401)])
  })
}

describe('a token of a platform that may be used once', () => {
  test('works with the nonce of DPoP, which refuses the first request', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(publicKey) }
    const prove = (nonce?: string) =>
      new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID(), ...(nonce && { nonce }) })
        .setProtectedHeader(header)
        .sign(privateKey)
    const { app, writes } = await createOnce()
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const client_assertion = await sign()
    const given = { grant_type: 'client_credentials', client_assertion_type, client_assertion, client_id: 'bound' }
    const ask = async (nonce?: string) => {
      const body = new URLSearchParams(given)
      const response = await app.request('/token', { method: 'POST', headers: { DPoP: await prove(nonce) }, body })
      const { error, token_type } = (await response.json()) as Record<string, unknown>
      return { status: response.status, nonce: response.headers.get('DPoP-Nonce') ?? '', error, token_type }
    }
    const first = await ask()
    assert.deepEqual([first.status, first.error], [400, 'use_dpop_nonce'])
    const second = await ask(first.nonce)
    assert.deepEqual([second.status, second.token_type], [200, 'DPoP'])
    assert.equal((await ask(second.nonce)).status, 401)
    assert.equal(writes.length, 2)
  })

  for (const path of ['/introspect', '/revoke']) {
    test(`is used up at ${path} by authentication alone`, async () => {
      const { send, writes } = await createOnce()
      const jws = await sign()
      assert.equal((await send(jws, form, path)).reason, 'token_parameter_missing')
      assert.deepEqual(writes, ['add'])
      const more = { ...form, token: 'x' }
      const { status, reason, event } = await send(jws, more, path)
      assert.deepEqual([status, reason, event?.client_id], [401, 'assertion_replayed', 'c'])
      assert.equal((await send(jws, form)).reason, 'assertion_replayed')
      assert.equal((await send(await sign(), more, path)).status, 200)
    })
  }

  test('is the only one that is written about', async () => {
    const { send, writes } = await createOnce({ single_use: false })
    const jws = await sign()
    for (const path of ['/token', '/introspect', '/revoke', '/token']) {
      assert.equal((await send(jws, { ...form, token: 'x' }, path)).status, 200)
    }
    assert.deepEqual(writes, [])
  })
})
