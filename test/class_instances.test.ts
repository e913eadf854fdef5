/** Whatever a library user implements may be an instance of a class, whose methods are on its prototype and read private fields. */

import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { fetchBy, remoteKeys } from '../src/assertions/remote_keys.ts'
import { authentication } from '../src/authentication/authenticate.ts'
import { CLIENTS, clientKey, clientRecord } from '../src/clients/registry.ts'
import { withTestClient } from '../src/development.ts'
import { tokenEndpoint } from '../src/endpoints/token.ts'
import type { ClientAuth, Confirmation, Confirmed, Grant, Presented } from '../src/features.ts'
import { generateKeyring } from '../src/keys/keyring.ts'
import type { Permit } from '../src/permit.ts'
import { createPreset } from '../src/preset.ts'
import type { FeatureHost } from '../src/preset_options.ts'
import { createProvider } from '../src/provider.ts'
import { openRecords } from '../src/records/open.ts'
import { hashToken } from '../src/secrets/hashes.ts'
import type { Ledger, ReadOptions, Registry, Stores } from '../src/stores/contracts.ts'
import { guardStores } from '../src/stores/guard.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { FormRequest } from '../src/types.ts'
import { NOW } from './support/world.ts'

const ISSUER = 'https://tokens.example'
const OPERATOR = 'operator-token-operator-token-op'

class MapRegistry implements Registry {
  readonly #inner = memoryStores(() => NOW).registry
  get lagSeconds() {
    return this.#inner.lagSeconds ?? 7
  }
  get(key: string, options?: ReadOptions) {
    return this.#inner.get(key, options)
  }
  put(key: string, value: string) {
    return this.#inner.put(key, value)
  }
  delete(key: string) {
    return this.#inner.delete(key)
  }
  replace(key: string, expected: string | undefined, value: string) {
    return this.#inner.replace(key, expected, value)
  }
  remove(key: string, expected: string) {
    return this.#inner.remove(key, expected)
  }
  list(prefix: string, options: Parameters<Registry['list']>[1]) {
    return this.#inner.list(prefix, options)
  }
}

class MapLedger implements Ledger {
  readonly #inner = memoryStores(() => NOW).ledger
  add(key: string, value: string, expiresAt: number) {
    return this.#inner.add(key, value, expiresAt)
  }
  count(key: string, windowSeconds: number) {
    return this.#inner.count(key, windowSeconds)
  }
  raise(key: string, value: number, expiresAt: number) {
    return this.#inner.raise(key, value, expiresAt)
  }
  get(key: string) {
    return this.#inner.get(key)
  }
  list(family: string) {
    return this.#inner.list(family)
  }
}

class MapStores implements Stores {
  readonly registry = new MapRegistry()
  readonly ledger = new MapLedger()
  #isOpen = true
  get isOpen() {
    return this.#isOpen
  }
  async close() {
    this.#isOpen = false
  }
}

class StillHost implements FeatureHost {
  readonly #now = NOW
  readonly #fetched: string[] = []
  get fetched() {
    return this.#fetched
  }
  now() {
    return this.#now
  }
  async fetch(url: string) {
    this.#fetched.push(url)
    return Response.json({ keys: [] })
  }
  async resolve() {
    this.#fetched.push('resolved')
    return ['192.0.2.1', '93.184.215.14'].slice(1)
  }
}

/** Uses each operation of a registry once. */
async function useAll(registry: Registry): Promise<void> {
  await registry.put('a:1', '1')
  assert.equal(await registry.get('a:1', { latest: true }), '1')
  assert.ok(await registry.replace('a:1', '1', '2'))
  assert.deepEqual((await registry.list('a:', { limit: 1 })).keys, ['a:1'])
  assert.ok(await registry.remove('a:1', '2'))
  await registry.delete('a:1')
}

class PairedPresented implements Presented {
  readonly client_id = 'robot'
  readonly #pin: string
  constructor(pin: string) {
    this.#pin = pin
  }
  async verify() {
    return this.#pin === '1234' ? undefined : ('secret_wrong' as const)
  }
}

class PairedAuth implements ClientAuth {
  readonly method = 'paired'
  readonly reads = 'secret'
  readonly #parameter = 'pin'
  read({ form }: FormRequest) {
    return new PairedPresented(form.get(this.#parameter) ?? '')
  }
}

class RobotGrant implements Grant {
  readonly grantType = 'urn:example:robot'
  readonly #subject = 'robot-7'
  async permit(): Promise<Permit> {
    return { subject: this.#subject, scope: ['move'], defaultScope: ['move'], resources: [] }
  }
}

class KeyConfirmation implements Confirmation {
  readonly method = 'key'
  readonly metadata = {}
  readonly #key = 'k'
  async confirm(): Promise<Confirmed> {
    return { cnf: { 'x-key': this.#key } }
  }
}

test('the fetch of the runtime is not called as a method of the options, which Workers refuse', async () => {
  const { fetch } = globalThis
  const owners: unknown[] = []
  globalThis.fetch = async function (this: unknown) {
    owners.push(this)
    return Response.json({ keys: [] })
  }
  try {
    await remoteKeys({ fetch: globalThis.fetch, now: () => NOW })('https://client.example.com/jwks.json')
    await fetchBy({}, 'https://client.example.com/jwks.json', {})
  } finally {
    globalThis.fetch = fetch
  }
  assert.deepEqual(owners, [undefined, undefined])
})

describe('an instance of a class can be', () => {
  test('a registry, in development and when its writes are observed', async () => {
    const registry = withTestClient(new MapRegistry())
    await useAll(registry)
    assert.equal(registry.lagSeconds, 7)
    assert.match((await registry.get(clientKey('test-client'))) ?? '', /test-client/)
    await useAll(openRecords(new MapRegistry()).registry)
  })

  test('the stores, also guarded', async () => {
    const stores = new MapStores()
    const guarded = guardStores(stores)
    await useAll(guarded.registry)
    assert.equal(guarded.registry.lagSeconds, 7)
    assert.ok(await guarded.ledger.add('a:1', '', NOW + 1))
    await guarded.close()
    assert.equal(stores.isOpen, false)
  })

  test('the host and the stores of the full server', async () => {
    const host = new StillHost()
    const keyring = await generateKeyring()
    const operatorTokenHash = await hashToken(OPERATOR)
    const app = createPreset({ issuer: ISSUER, keyring, operatorTokenHash, ...new MapStores() }, host)
    const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
    const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://client.example.com/jwks.json' }
    const registered = await app.request(`${ISSUER}/register/keyed`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(keyed),
    })
    assert.deepEqual([registered.status, (await registered.json()).client_id_issued_at], [201, NOW])
    const part = (value: object) => btoa(JSON.stringify(value)).replaceAll('=', '')
    const claims = { iss: 'keyed', sub: 'keyed', aud: ISSUER, exp: NOW + 60, jti: '1' }
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${part({ alg: 'ES256', kid: '1' })}.${part(claims)}.${'A'.repeat(86)}`,
    }
    const refused = await app.request(`${ISSUER}/token`, { method: 'POST', body: new URLSearchParams(form) })
    assert.equal(refused.status, 401)
    assert.deepEqual(host.fetched.slice(0, 2), ['resolved', keyed.jwks_uri])
  })

  test('a method of authentication, a grant and a confirmation', async () => {
    const registry = new MapRegistry()
    const client = { client_id: 'robot', token_endpoint_auth_method: 'paired', grant_types: ['urn:example:robot'] }
    await registry.put(clientKey('robot'), clientRecord(client))
    const keyring = await generateKeyring()
    const token = tokenEndpoint({
      authentication: authentication([new PairedAuth()], openRecords(registry).find(CLIENTS)),
      grants: [new RobotGrant()],
      confirmations: [new KeyConfirmation()],
      keyring,
    })
    const app = createProvider({ issuer: ISSUER, endpoints: [token] })
    const body = new URLSearchParams({ grant_type: 'urn:example:robot', pin: '1234' })
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body })
    assert.equal(response.status, 200)
    const [, payload = ''] = (await response.json()).access_token.split('.')
    const { sub, cnf } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    assert.deepEqual([sub, cnf], ['robot-7', { 'x-key': 'k' }])
  })
})
