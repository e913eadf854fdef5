import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { remoteKeys } from '../src/assertions/remote_keys.ts'
import { clientSecretPost } from '../src/authentication/client_secret_post.ts'
import { privateKeyJwt } from '../src/authentication/private_key_jwt.ts'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { dpop } from '../src/confirmations/dpop.ts'
import { keyOf, toRecord } from '../src/records/records.ts'
import { RESOURCES } from '../src/resources/registry.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { Jwk } from '../src/types.ts'
import { clients, createWorld, ISSUER, NOW, resourceServers } from './support/world.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = (await exportJWK(publicKey)) as Jwk

/** A world that counts what is written. */
async function createCounted() {
  const { registry, ledger } = memoryStores(() => NOW)
  for (const client of await clients()) await registry.put(clientKey(client.client_id), clientRecord(client))
  for (const each of resourceServers) await registry.put(keyOf(RESOURCES, each.resource), toRecord(each))
  const keyed = {
    client_id: 'keyed',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    jwks: { keys: [jwk] },
  }
  await registry.put(clientKey('keyed'), clientRecord(keyed))
  const writes: string[] = []
  const counted = <T extends object>(store: T): T => {
    const entries = Object.entries(store).map(([name, operation]) => {
      const isWrite = ['put', 'delete', 'replace', 'add', 'count'].includes(name)
      const call = (...values: unknown[]) => {
        if (isWrite) writes.push(name)
        return operation(...values)
      }
      return [name, call]
    })
    return Object.fromEntries(entries)
  }
  const marks = counted(ledger)
  const keys = remoteKeys({ fetch: () => Promise.reject(new Error('no network')), now: () => NOW })
  const { app } = await createWorld({
    registry: counted(registry),
    clientAuth: [clientSecretPost(), privateKeyJwt({ ledger: marks, remoteKeys: keys, maxLifetimeSeconds: 60 })],
    confirmations: [dpop({ ledger: marks })],
  })
  writes.length = 0
  const grant = async (more: Record<string, string>, headers = {}) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...more })
    assert.equal((await app.request(`${ISSUER}/token`, { method: 'POST', body, headers })).status, 200)
  }
  return { writes, grant }
}

const secret = { client_id: 'test-client', client_secret: 'foobar', resource: 'https://rs.example', scope: 'read' }

describe('issuing a token', () => {
  test('writes nothing', async () => {
    const { writes, grant } = await createCounted()
    for (let index = 0; index < 100; index++) await grant(secret)
    assert.deepEqual(writes, [])
  })

  test('writes one mark for an assertion, and one for a proof', async () => {
    const { writes, grant } = await createCounted()
    const claims = { iss: 'keyed', sub: 'keyed', aud: ISSUER, exp: NOW + 60, jti: 'a' }
    const client_assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    await grant({ client_assertion, client_assertion_type })
    assert.deepEqual(writes, ['add'])
    const proof = await new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: 'b' })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: jwk as { kty: string } })
      .sign(privateKey)
    await grant(secret, { DPoP: proof })
    assert.deepEqual(writes, ['add', 'add'])
  })
})
