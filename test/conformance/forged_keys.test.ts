import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { EXPONENTS, forgeRsa, fromHex, NEUTRAL_SIGNATURE, SMALL_ORDER_POINTS } from '../support/weak_keys.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const { publicKey } = await generateKeyPair('RS256', { extractable: true })
const { n = '' } = await exportJWK(publicKey)

/** A world with one client, whose key is in its record or is published. */
async function createForgedWorld(jwk: object, isPublished: boolean) {
  const { registry, ledger } = memoryStores(() => NOW)
  const keys = [jwk as Record<string, unknown>]
  const source = isPublished ? { jwks_uri: 'https://keys.example/jwks' } : { jwks: { keys } }
  const client = { client_id: 'a', token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'] }
  await registry.put(clientKey('a'), clientRecord({ ...client, ...source }))
  const remote = remoteKeys({ fetch: async () => Response.json({ keys }), now: () => NOW })
  const clientAuth = [privateKeyJwt({ ledger, remoteKeys: remote, maxLifetimeSeconds: 3600 })]
  const { app, events } = await createWorld({ registry, clientAuth })
  return async (client_assertion: string) => {
    const form = { grant_type: 'client_credentials', client_assertion_type: TYPE, client_assertion }
    const { status } = await app.request('/token', { method: 'POST', body: new URLSearchParams(form) })
    const event = events.at(-1)
    return [status, event?.event === 'request_refused' ? event.reason : undefined]
  }
}

function signingInput(alg: string): string {
  const claims = { iss: 'a', sub: 'a', aud: ISSUER, exp: NOW + 60, jti: crypto.randomUUID() }
  return [{ alg }, claims].map((part) => encodeBase64url(new TextEncoder().encode(JSON.stringify(part)))).join('.')
}

describe('an assertion signed without a private key', () => {
  for (const isPublished of [false, true]) {
    const where = isPublished ? 'published' : 'registered'
    for (const [e] of EXPONENTS.filter(([, isGood]) => !isGood)) {
      test(`is refused for a ${where} RSA key whose e is ${JSON.stringify(e)}`, async () => {
        const send = await createForgedWorld({ kty: 'RSA', n, e }, isPublished)
        const input = signingInput('RS256')
        const forged = `${input}.${encodeBase64url(await forgeRsa(input, 256))}`
        assert.deepEqual(await send(forged), [401, 'assertion_key_unknown'])
      })
    }

    for (const hex of SMALL_ORDER_POINTS) {
      test(`is refused for a ${where} Ed25519 key of small order: ${hex}`, async () => {
        const send = await createForgedWorld(
          { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(fromHex(hex)) },
          isPublished,
        )
        for (const alg of ['EdDSA', 'Ed25519']) {
          const forged = `${signingInput(alg)}.${encodeBase64url(NEUTRAL_SIGNATURE)}`
          assert.deepEqual(await send(forged), [401, 'assertion_key_unknown'])
        }
      })
    }
  }
})
