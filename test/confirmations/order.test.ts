import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { nonces } from '../../src/assertions/nonce.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { mtls } from '../../src/confirmations/mtls.ts'
import { deriveHmacKey } from '../../src/keys/derived_key.ts'
import type { Reason } from '../../src/reasons.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client } from '../../src/types.ts'
import { clients, createWorld, ISSUER, NOW, resourceServers } from '../support/world.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)

function prove(claims: Record<string, unknown> = {}): Promise<string> {
  const whole = { htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID(), ...claims }
  return new SignJWT(whole).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(privateKey)
}

/** A world with both confirmations, and the expiry of each mark that its ledger received. */
async function createCountedWorld({ withNonces = false } = {}) {
  const { registry, ledger } = memoryStores(() => NOW)
  const bound = { tls_client_certificate_bound_access_tokens: true }
  const [testClient] = await clients()
  const more: Client[] = testClient === undefined ? [] : [{ ...testClient, ...bound, client_id: 'cc-bound' }]
  for (const client of [...(await clients()), ...more]) {
    await registry.put(clientKey(client.client_id), clientRecord(client))
  }
  for (const each of resourceServers) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
  const marks: number[] = []
  const counted: typeof ledger = {
    ...ledger,
    add: (key, value, expiresAt) => {
      marks.push(expiresAt)
      return ledger.add(key, value, expiresAt)
    },
  }
  const made = withNonces ? nonces(await deriveHmacKey('secret', 'dpop nonces')) : undefined
  const { app, events } = await createWorld({
    registry,
    confirmations: [dpop({ ledger: counted, nonces: made }), mtls()],
  })
  const send = async (proof: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body, headers: { DPoP: proof } })
    const event = events.at(-1)
    return { status: response.status, reason: event?.event === 'request_refused' ? event.reason : undefined }
  }
  return { send, marks }
}

const secret = { client_id: 'test-client', client_secret: 'foobar' }
const refused: readonly [name: string, form: Record<string, string>, status: number, reason: Reason][] = [
  ['a public client', { client_id: 'cc-none' }, 400, 'client_public'],
  ['a client without the grant', { ...secret, client_id: 'cc-nogrant' }, 400, 'grant_type_not_allowed'],
  ['a wrong secret', { ...secret, client_secret: 'wrong' }, 401, 'secret_wrong'],
  ['a scope that is not allowed', { ...secret, scope: 'admin' }, 400, 'scope_not_allowed'],
  ['a resource that is not allowed', { ...secret, resource: 'urn:example:other' }, 400, 'resource_not_allowed'],
  ['a resource that is gone', { ...secret, resource: 'urn:example:gone' }, 400, 'resource_unknown'],
  ['a resource whose algorithm no key has', { ...secret, resource: 'urn:example:es384' }, 503, 'signing_alg_missing'],
  [
    'a token that would be too large',
    { ...secret, client_id: 'cc-star', scope: 's'.repeat(13_000) },
    400,
    'token_too_large',
  ],
  ['a missing certificate', { ...secret, client_id: 'cc-bound' }, 400, 'certificate_required'],
]

describe('a DPoP proof in a request that is refused', () => {
  for (const [name, form, status, reason] of refused) {
    test(`is not used up: ${name}`, async () => {
      const { send, marks } = await createCountedWorld()
      const proof = await prove()
      for (let time = 0; time < 2; time++) assert.deepEqual(await send(proof, form), { status, reason })
      assert.deepEqual(marks, [])
      assert.equal((await send(proof, secret)).status, 200)
      assert.equal(marks.length, 1)
      assert.deepEqual(await send(proof, secret), { status: 400, reason: 'dpop_replayed' })
    })
  }
})

describe('the replay mark of a DPoP proof', () => {
  test('lasts as long as the proof could be replayed, plus skew and slack', async () => {
    const { send, marks } = await createCountedWorld()
    for (const iat of [NOW, NOW + 0.5, NOW - 89]) assert.equal((await send(await prove({ iat }), secret)).status, 200)
    assert.deepEqual(
      marks.map((expiresAt) => expiresAt - NOW),
      [150, 151, 61],
    )
  })
})

describe('the errors of a request are reported in this order:', () => {
  const order: readonly [
    name: string,
    claims: Record<string, unknown>,
    form: Record<string, string>,
    reason: Reason,
  ][] = [
    ['the grant before the proof', { htm: 'GET' }, { client_id: 'cc-none' }, 'client_public'],
    ['the proof before the scope', { htm: 'GET' }, { ...secret, scope: 'admin' }, 'dpop_htm_wrong'],
    ['the jti of the proof before the scope', { jti: '' }, { ...secret, scope: 'admin' }, 'dpop_jti_missing'],
    ['the proof before the certificate', { htm: 'GET' }, { ...secret, client_id: 'cc-bound' }, 'dpop_htm_wrong'],
    [
      'the certificate before the scope',
      {},
      { ...secret, client_id: 'cc-bound', scope: 'admin' },
      'certificate_required',
    ],
  ]
  for (const [name, claims, form, reason] of order) {
    test(name, async () => {
      const { send } = await createCountedWorld()
      assert.equal((await send(await prove(claims), form)).reason, reason)
    })
  }

  test('the nonce before the scope', async () => {
    const { send, marks } = await createCountedWorld({ withNonces: true })
    assert.equal((await send(await prove(), { ...secret, scope: 'admin' })).reason, 'dpop_nonce_wrong')
    assert.deepEqual(marks, [])
  })
})
