import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { ASSERTION_ALGORITHMS } from '../src/assertions/algorithms.ts'
import { clientSecretBasic } from '../src/clients/client_secret_basic.ts'
import { clientSecretPost } from '../src/clients/client_secret_post.ts'
import { mtls } from '../src/confirmations/mtls.ts'
import { clientCredentials } from '../src/grants/client_credentials.ts'
import { generateKeyring } from '../src/keys/keyring.ts'
import { type Features, toManaged, toParts } from '../src/parts.ts'
import { toRecord } from '../src/records/records.ts'
import type { Registry } from '../src/stores/contracts.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { ISSUER, NOW } from './support/world.ts'

const keyring = await generateKeyring({ lifetimeSeconds: 1800 })
const A = 'https://a.example'

/** Features on stores that count what is read. */
function featuresOf(more: Partial<Features> = {}) {
  const clock = { now: NOW }
  const { registry, ledger } = memoryStores(() => clock.now)
  const reads: string[] = []
  const get = (key: string) => {
    reads.push(key)
    return registry.get(key)
  }
  const features: Features = {
    issuer: ISSUER,
    clientAuth: [clientSecretBasic(), clientSecretPost()],
    grants: [clientCredentials()],
    registry: { ...registry, get },
    cacheSeconds: 30,
    keyring,
    accessTokenProfile: 'rfc9068',
    accessTokenLifetime: 1800,
    emit: () => undefined,
    now: () => clock.now,
    ...more,
  }
  return { features, registry, ledger, reads, clock }
}

describe('toParts: the list of features', () => {
  const wrong: readonly [name: string, features: Partial<Features>, message: RegExp][] = [
    ['no clientAuth', { clientAuth: [] }, /^createProvider: clientAuth is empty$/],
    ['no grants', { grants: [] }, /^createProvider: grants is empty$/],
    ['no confirmations in the list', { confirmations: [] }, /^createProvider: confirmations is empty$/],
    ['one clientAuth twice', { clientAuth: [clientSecretBasic(), clientSecretBasic()] }, /clientAuth holds two/],
    [
      'one grant twice',
      { grants: [clientCredentials(), clientCredentials()] },
      /grants holds two features of one name/,
    ],
    ['one confirmation twice', { confirmations: [mtls(), mtls()] }, /confirmations holds two features of one name/],
  ]
  for (const [name, more, message] of wrong) {
    test(`refuses ${name}`, () => {
      assert.throws(() => toParts(featuresOf(more).features), { name: 'TypeError', message })
    })
  }

  test('takes no list of confirmations, and looks for no certificate', async () => {
    const { confirmations, findCertificate, grants, denial } = toParts(featuresOf().features)
    assert.deepEqual([confirmations, [...grants.keys()], denial], [[], ['client_credentials'], undefined])
    assert.equal(await findCertificate(new Request(ISSUER), {}), undefined)
    const listed = [mtls()]
    assert.equal(toParts(featuresOf({ confirmations: listed }).features).confirmations, listed)
  })

  const endpoints = {
    authorization_endpoint: '/authorize',
    token_endpoint: '/token',
    jwks_uri: '/.well-known/jwks.json',
  }
  const denial = {
    revocation_endpoint: '/revoke',
    introspection_endpoint: '/introspect',
    revocations_uri: '/revocations',
  }
  const { ledger } = memoryStores(() => NOW)
  for (const [name, more, expected] of [
    ['neither ledger nor operator', {}, endpoints],
    ['a ledger', { ledger }, { ...endpoints, ...denial }],
    ['an operator', { operatorTokenHash: 'x' }, { ...endpoints, registration_endpoint: '/register' }],
    ['both', { ledger, operatorTokenHash: 'x' }, { ...endpoints, ...denial, registration_endpoint: '/register' }],
  ] as const) {
    test(`with ${name}: these endpoints`, () => {
      const parts = toParts(featuresOf(more).features)
      assert.deepEqual(parts.endpoints, expected)
      assert.equal(parts.denial !== undefined, 'ledger' in more)
    })
  }
})

describe('toParts: denial', () => {
  test('introspections are limited where a limit is set, and otherwise not', () => {
    const { features, ledger } = featuresOf()
    const free = toParts({ ...features, ledger }).denial
    for (let index = 0; index < 1000; index++) free?.limitRate('c', NOW)
    const limited = toParts({ ...features, ledger, introspectionsPerMinute: 2 }).denial
    for (let index = 0; index < 2; index++) limited?.limitRate('c', NOW)
    assert.throws(() => limited?.limitRate('c', NOW), { status: 429 })
  })

  test('a cut lasts as long as the last token that it denies', async () => {
    const { features, ledger, clock } = featuresOf({ accessTokenLifetime: 1000 })
    const { denial } = toParts({ ...features, ledger })
    await denial?.revocations.cut(NOW)
    clock.now = NOW + 999
    const token = { jti: 'j', client_id: 'c', iat: NOW, exp: NOW + 1000, claims: {} }
    assert.equal(await denial?.revocations.isRevoked(token), true)
  })
})

describe('toParts: records', () => {
  const ids = ['c', 'a:b', ':', 'client:c']
  test('a client is kept while it is fresh, and read again once it was written through the parts', async () => {
    const { features, registry, reads, clock } = featuresOf()
    const parts = toParts(features)
    for (const client_id of ids) {
      await registry.put(`client:${client_id}`, toRecord({ client_id }))
      reads.length = 0
      for (let index = 0; index < 3; index++) assert.equal((await parts.findClient(client_id))?.client_id, client_id)
      clock.now += 29
      await parts.findClient(client_id)
      assert.deepEqual(reads, [`client:${client_id}`])
      await parts.registry.put(`client:${client_id}`, toRecord({ client_id, disabled: true }))
      assert.equal((await parts.findClient(client_id))?.disabled, true)
      await parts.registry.delete(`client:${client_id}`)
      assert.equal(await parts.findClient(client_id), undefined)
    }
  })

  test('a write makes the cache forget the record of its key and no other', async () => {
    const { features, registry, reads } = featuresOf()
    const parts = toParts(features)
    await registry.put('client:c', toRecord({ client_id: 'c' }))
    await parts.findClient('c')
    reads.length = 0
    for (const key of ['resource:c', 'other:c', 'client', 'c', '', 'xclient:c']) await parts.registry.put(key, '1')
    await parts.findClient('c')
    assert.deepEqual(reads, [])
  })

  test('the freshness is that of the features', async () => {
    for (const [cacheSeconds, after, count] of [
      [0, 0, 2],
      [5, 4, 1],
      [5, 5, 2],
      [300, 299, 1],
    ] as const) {
      const { features, registry, reads, clock } = featuresOf({ cacheSeconds })
      await registry.put('client:c', toRecord({ client_id: 'c' }))
      const { findClient } = toParts(features)
      await findClient('c')
      clock.now += after
      await findClient('c')
      assert.equal(reads.length, count)
    }
  })

  test('caches the default resource server and its absence, and follows writes', async () => {
    const { features, reads } = featuresOf()
    const { resources, registry } = toParts(features)
    for (let index = 0; index < 3; index++) assert.equal(await resources.findDefault(), undefined)
    assert.deepEqual(reads, ['resource-role:default'])
    await registry.put(`resource:${A}`, toRecord({ resource: A }))
    await registry.put('resource-role:default', toRecord({ resource: A }))
    assert.equal((await resources.findDefault())?.resource, A)
    reads.length = 0
    assert.equal((await resources.findDefault())?.resource, A)
    assert.deepEqual(reads, [])
    await registry.delete('resource-role:default')
    assert.equal(await resources.findDefault(), undefined)
  })

  test('lists the scopes once while they are fresh', async () => {
    const { features, registry, clock } = featuresOf()
    let lists = 0
    const list: typeof registry.list = (...values) => {
      lists++
      return registry.list(...values)
    }
    await registry.put(`resource:${A}`, toRecord({ resource: A, scope: 'write read' }))
    const { findScopes } = toParts({ ...features, registry: { ...features.registry, list } })
    for (let index = 0; index < 3; index++) assert.deepEqual(await findScopes('supported'), ['read', 'write'])
    clock.now += 30
    await findScopes('supported')
    assert.equal(lists, 2)
  })

  test('the event of a record that was served stale names its kind', async () => {
    const keys: unknown[] = []
    const { features, registry, clock } = featuresOf({ emit: (event) => keys.push('key' in event && event.key) })
    let fails = false
    const failing = Object.fromEntries(
      Object.entries(registry).map(([name, operation]) => [
        name,
        (...values: unknown[]) => (fails ? Promise.reject(new Error('down')) : operation(...values)),
      ]),
    )
    await registry.put('client:c', toRecord({ client_id: 'c' }))
    await registry.put(`resource:${A}`, toRecord({ resource: A }))
    await registry.put('resource-role:default', toRecord({ resource: A }))
    const { findClient, findScopes, resources } = toParts({ ...features, registry: failing as unknown as Registry })
    const readAll = () => Promise.all([findClient('c'), findScopes('supported'), resources.findDefault()])
    await readAll()
    fails = true
    clock.now += 30
    await readAll()
    const expected = ['client:c', 'resource-role:default', `resource:${A}`, 'scopes:supported']
    assert.deepEqual(keys.sort(), expected.sort())
  })
})

describe('toManaged', () => {
  test('offers the listed features', () => {
    const { features, ledger } = featuresOf()
    const parts = toParts({ ...features, ledger })
    const url = (text: string) => `${text}/register`
    const managed = toManaged(parts, 'hash', url)
    assert.deepEqual(managed.offer, {
      grantTypes: ['client_credentials'],
      authMethods: ['client_secret_basic', 'client_secret_post'],
      signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
    })
    const { operatorTokenHash, registrationUrl, signingAlgs, registry, now, emit } = managed
    assert.deepEqual([operatorTokenHash, registrationUrl, signingAlgs], ['hash', url, ['RS256']])
    assert.deepEqual([registry, now, emit], [parts.registry, parts.now, parts.emit])
    assert.equal(managed.revocations, parts.denial?.revocations)
    assert.equal(toManaged(toParts(features), 'hash', url).revocations, undefined)
  })
})
