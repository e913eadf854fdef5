import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { fillIssuer } from '../../src/issuers/presets.ts'
import { ISSUERS } from '../../src/issuers/registry.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client, FederatedCredential } from '../../src/types.ts'
import { createManaged } from '../support/managed.ts'
import { NOW } from '../support/world.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const PLAIN = 'https://issuer.example'
const DOMAIN = 'spiffe://example.org'
const claims = { repository_id: '74', environment: 'production' }

async function createTrusting() {
  const { registry } = memoryStores(() => NOW)
  for (const issuer of [GITHUB, PLAIN, DOMAIN])
    await registry.put(keyOf(ISSUERS, issuer), toRecord(fillIssuer({ issuer })))
  const managed = await createManaged({ registry })
  const client = { token_endpoint_auth_method: 'client_secret_post', scope: 'read' }
  const { answer } = await managed.send('POST', '/register', { body: client })
  const path = `/register/${answer.client_id}/federated_credentials`
  const listed = async () =>
    (await managed.send('GET', `/register/${answer.client_id}`)).answer[
      'federated_credentials'
    ] as FederatedCredential[]
  return { ...managed, client: answer, path, listed }
}

describe('/register/{client_id}/federated_credentials', () => {
  test('adds one and removes it', async () => {
    const { send, path, listed, events, client } = await createTrusting()
    const given = { label: 'deploy', issuer: GITHUB, claims, expires_at: NOW + 60, access_token_lifetime: 300 }
    const added = await send('POST', path, { body: given })
    assert.equal(added.status, 201)
    const { id } = added.answer as { id?: string }
    assert.deepEqual(added.answer, { ...given, id, created_at: NOW })
    const { client_id } = client
    assert.deepEqual(events.at(-1), { event: 'client_changed', change: 'credential_added', client_id, by: 'operator' })
    assert.deepEqual(await listed(), [added.answer])
    assert.equal((await send('DELETE', `${path}/${id}`)).status, 204)
    assert.deepEqual(events.at(-1), {
      event: 'client_changed',
      change: 'credential_removed',
      client_id,
      by: 'operator',
    })
    assert.deepEqual(await listed(), [])
    assert.equal((await send('DELETE', `${path}/${id}`)).reason, 'record_unknown')
  })

  test('a client cannot add, remove or replace its own', async () => {
    const { send, path, client, listed } = await createTrusting()
    const token = client.registration_access_token
    const body = { issuer: GITHUB, claims }
    assert.equal((await send('POST', path, { body, token })).status, 401)
    const { id } = (await send('POST', path, { body })).answer
    assert.equal((await send('DELETE', `${path}/${id}`, { token })).status, 401)
    const own = `/register/${client.client_id}`
    const other = await send('PUT', own, { token, body: { federated_credentials: [] } })
    assert.deepEqual([other.status, other.reason], [400, 'metadata_not_yours'])
    assert.equal((await send('PUT', own, { token, body: { client_name: 'New' } })).status, 200)
    assert.equal((await listed()).length, 1)
  })

  const refused: readonly (readonly [body: object, problem: RegExp, reason?: string])[] = [
    [{ issuer: GITHUB }, /^claims: is missing/],
    [{ claims }, /^issuer: is missing/],
    [{ issuer: GITHUB, claims: {} }, /^claims: must have a rule/],
    [{ issuer: GITHUB, claims: { ref: { glob: '*' } } }, /^claims: .ref. must have a \* only after/],
    [{ issuer: GITHUB, claims, access_token_lifetime: 0 }, /^access_token_lifetime: must be at least 1/],
    [{ issuer: GITHUB, claims, expires_at: -1 }, /^expires_at: must not be negative/],
    [{ issuer: GITHUB, claims, label: 'a\u202eb' }, /^label: must not contain invisible/],
    [{ issuer: 'https://nobody.example', claims }, /^issuer: is not a trusted issuer/, 'metadata_inconsistent'],
    [{ issuer: `${GITHUB}/`, claims }, /^issuer: is not a trusted issuer/, 'metadata_inconsistent'],
    [{ issuer: 'not a URL', claims }, /^issuer: is not a trusted issuer/, 'metadata_inconsistent'],
    [
      { issuer: GITHUB, claims: { repository: 'o/r', environment: 'production' } },
      /^claims: must pin at least one of repository_id, repository_owner_id to an exact value/,
      'metadata_inconsistent',
    ],
    ...[
      [GITHUB, { repository_id: 74 }, /^claims: must have a string for repository_id/] as const,
      [
        GITHUB,
        { repository_id: '74', repository_owner_id: true },
        /^claims: must have a string for repository_owner_id/,
      ] as const,
      [PLAIN, { sub: 5 }, /^claims: must have a string for sub/] as const,
      [DOMAIN, { sub: 'spiffe://example.net/a' }, /^claims: must have a SPIFFE ID of this trust domain/] as const,
      [DOMAIN, { sub: 'spiffe://EXAMPLE.org/a' }, /^claims: must have a SPIFFE ID/] as const,
      [DOMAIN, { sub: 'spiffe://example.org' }, /^claims: must have a SPIFFE ID/] as const,
      [DOMAIN, { sub: 'a' }, /^claims: must have a SPIFFE ID/] as const,
      [DOMAIN, { sub: ['spiffe://example.org/a', 'b'] }, /^claims: must have a SPIFFE ID/] as const,
      [DOMAIN, { sub: { glob: 'spiffe://example.org/a b/*' } }, /^claims: must have a SPIFFE ID/] as const,
    ].map(([issuer, rules, text]) => [{ issuer, claims: rules }, text, 'metadata_inconsistent'] as const),
    [{ issuer: GITHUB, claims, expires_at: NOW }, /^expires_at: must not be in the past/, 'metadata_inconsistent'],
    [{ issuer: PLAIN, claims: { email: 'a@b' } }, /^claims: must pin sub to an exact value/, 'metadata_inconsistent'],
  ]
  for (const [body, problem, reason = 'metadata_malformed'] of refused) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      const { send, path } = await createTrusting()
      const sent = await send('POST', path, { body })
      assert.deepEqual([sent.status, sent.answer['error'], sent.reason], [400, 'invalid_client_metadata', reason])
      assert.match(String(sent.answer['error_description']), problem)
    })
  }

  test('accepts SPIFFE IDs of the trust domain, and a number where tokens may have one', async () => {
    const { send, path } = await createTrusting()
    for (const sub of [`${DOMAIN}/a`, [`${DOMAIN}/a`, `${DOMAIN}/b/C`], { glob: `${DOMAIN}/ns/*/sa/**` }]) {
      assert.equal((await send('POST', path, { body: { issuer: DOMAIN, claims: { sub } } })).status, 201)
    }
    const numbered = { issuer: PLAIN, claims: { sub: 'a', run: 5 } }
    assert.equal((await send('POST', path, { body: numbered })).status, 201)
  })

  test('an expired one can be submitted again as it is, and no other', async () => {
    const { send, client, state } = await createTrusting()
    const own = `/register/${client.client_id}`
    const replace = (id: string, expires_at: number) =>
      send('PUT', own, { body: { federated_credentials: [{ id, issuer: GITHUB, claims, expires_at }] } })
    assert.equal((await replace('one', NOW + 60)).status, 200)
    state.now = NOW + 60
    assert.equal((await replace('one', NOW + 60)).status, 200)
    for (const [id, end] of [
      ['one', NOW + 59],
      ['two', NOW + 60],
    ] as const) {
      const { status, answer } = await replace(id, end)
      assert.equal(status, 400)
      assert.match(String(answer['error_description']), /^federated_credentials.0.expires_at: must not be in the past/)
    }
  })

  test('a rule that is given twice is refused', async () => {
    const { send, path } = await createTrusting()
    const body = `{"issuer":"${PLAIN}","claims":{"sub":"a","sub":"b"}}`
    assert.equal((await send('POST', path, { body })).reason, 'body_malformed')
  })

  test('has room for 20, without the expired ones', async () => {
    const { send, path, state, listed } = await createTrusting()
    const add = (sub: string, expires_at = 0) =>
      send('POST', path, { body: { issuer: PLAIN, claims: { sub }, expires_at } })
    for (let index = 0; index < 20; index++)
      assert.equal((await add(`s${index}`, index === 7 ? NOW + 60 : 0)).status, 201)
    const full = await add('more')
    assert.deepEqual([full.status, full.reason], [400, 'metadata_inconsistent'])
    state.now = NOW + 60
    assert.equal((await add('more')).status, 201)
    assert.equal((await listed()).length, 20)
  })

  test('a record that grew by them can still be replaced by what is answered', async () => {
    const { send, path, client } = await createTrusting()
    const others = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(70, 'x'))
    const add = () => send('POST', path, { body: { issuer: PLAIN, claims: { sub: others } } })
    const added = []
    while (added.at(-1)?.status !== 413) added.push(await add())
    assert.deepEqual([added.at(-1)?.reason, added.length > 10], ['record_too_large', true])
    const own = `/register/${client.client_id}`
    const { answer } = await send('GET', own)
    assert.equal((await send('PUT', own, { body: answer })).status, 200)
  })

  test('If-Match, an unknown client, a malformed body', async () => {
    const { send, path, client } = await createTrusting()
    const { etag } = await send('GET', `/register/${client.client_id}`)
    const body = { issuer: GITHUB, claims }
    assert.equal((await send('POST', path, { body, headers: { 'If-Match': etag } })).status, 201)
    assert.equal((await send('POST', path, { body, headers: { 'If-Match': etag } })).status, 412)
    assert.equal((await send('POST', '/register/nobody/federated_credentials', { body })).status, 404)
    assert.equal((await send('DELETE', '/register/nobody/federated_credentials/1')).status, 404)
    assert.equal((await send('POST', path, { body: '{"claims":{}' })).reason, 'body_malformed')
  })

  test('PUT replaces them all, keeps when they were made, and leaves alone what is unchanged', async () => {
    const { send, client, registry, state, listed } = await createTrusting()
    const own = `/register/${client.client_id}`
    const one = { id: 'one', issuer: GITHUB, claims }
    const put = (federated_credentials: object[]) =>
      send('PUT', own, { body: { token_endpoint_auth_method: 'federated_jwt', federated_credentials } })
    // The offer of this world has no federated_jwt.
    assert.equal((await put([one])).reason, 'metadata_inconsistent')
    const replace = (federated_credentials?: object[]) => send('PUT', own, { body: { federated_credentials } })
    assert.equal((await replace([one])).status, 200)
    await registry.delete(keyOf(ISSUERS, GITHUB))
    state.now = NOW + 5
    const two = { id: 'two', issuer: PLAIN, claims: { sub: 'a' }, label: 'Two' }
    assert.equal((await replace([{ ...one, label: 'One' }, two])).status, 200)
    assert.deepEqual(await listed(), [
      { ...one, label: 'One', created_at: NOW },
      { ...two, created_at: NOW + 5 },
    ])
    const unpinned = await replace([one, { ...two, claims: { email: 'a' } }])
    assert.match(String(unpinned.answer['error_description']), /^federated_credentials.1.claims: must pin sub/)
    const gone = await replace([{ ...one, claims: { ...claims, ref: 'x' } }])
    assert.match(String(gone.answer['error_description']), /^federated_credentials.0.issuer: is not a trusted issuer/)
    const twice = await replace([two, two])
    assert.match(String(twice.answer['error_description']), /same id twice/)
    await replace()
    assert.equal(await listed(), undefined)
  })

  test('POST /register checks them, too', async () => {
    const { send } = await createTrusting()
    const federated_credentials = [{ id: 'one', issuer: GITHUB, claims: { repository: 'o/r' } }]
    assert.equal((await send('POST', '/register', { body: { federated_credentials } })).reason, 'metadata_inconsistent')
  })

  test('a record of an issuer that cannot be read is 503', async () => {
    const { send, path, registry } = await createTrusting()
    await registry.put(keyOf(ISSUERS, PLAIN), '{')
    const { status, reason } = await send('POST', path, { body: { issuer: PLAIN, claims: { sub: 'a' } } })
    assert.deepEqual([status, reason], [503, 'record_malformed'])
  })
})

describe('a federated client', () => {
  const token = 'registration-token-registration-'
  const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] }
  const federated_credentials = [{ id: 'one', issuer: GITHUB, claims, expires_at: NOW + 60 }]
  const clients: readonly Partial<Client>[] = [
    { token_endpoint_auth_method: 'federated_jwt', federated_credentials },
    { token_endpoint_auth_method: 'federated_jwt' },
    { token_endpoint_auth_method: 'spiffe_jwt' },
    { token_endpoint_auth_method: 'client_secret_basic', federated_credentials: [] },
    { federated_credentials },
  ]

  async function createHeld(client: Partial<Client>) {
    const managed = await createTrusting()
    const registration_access_token_hash = await hashToken(token)
    const record = clientRecord({ client_id: 'held', registration_access_token_hash, ...client })
    await managed.registry.put(clientKey('held'), record)
    return { ...managed, record }
  }

  const bodies: readonly (readonly [body: object, member: string])[] = [
    [{ token_endpoint_auth_method: 'private_key_jwt', jwks }, 'jwks'],
    [{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://a.example/' }, 'jwks_uri'],
    [{ jwks }, 'jwks'],
    [{ tls_client_auth_san_dns: 'a.example' }, 'tls_client_auth_san_dns'],
    [{ token_endpoint_auth_method: 'client_secret_post' }, 'token_endpoint_auth_method'],
    [{ token_endpoint_auth_method: 'none' }, 'token_endpoint_auth_method'],
  ]
  for (const client of clients) {
    const name = JSON.stringify(client).slice(0, 80)
    for (const [body, member] of bodies) {
      test(`${name} does not give itself ${JSON.stringify(body).slice(0, 60)}`, async () => {
        const { send, registry, record } = await createHeld(client)
        const { status, answer, reason } = await send('PUT', '/register/held', { token, body })
        assert.deepEqual([status, reason], [400, 'metadata_not_yours'])
        assert.match(String(answer['error_description']), new RegExp(`^${member}: only an operator`))
        assert.equal(await registry.get(clientKey('held')), record)
      })
    }

    test(`${name} gets no secret unless an operator adds it`, async () => {
      const { send, registry, record } = await createHeld(client)
      const added = await send('POST', '/register/held/secrets', { token, body: {} })
      assert.deepEqual([added.status, added.reason], [400, 'metadata_not_yours'])
      // Without a method, a client authenticates with a secret; one is made where there is none.
      const put = await send('PUT', '/register/held', { token, body: {} })
      assert.equal(put.status, 400)
      assert.equal(await registry.get(clientKey('held')), record)
      assert.equal((await send('POST', '/register/held/secrets', { body: {} })).status, 201)
    })
  }

  test('changes its name, and what it omits of its authentication is kept', async () => {
    const name = { tls_client_auth_san_dns: 'a.example', token_endpoint_auth_method: 'tls_client_auth' }
    const { send } = await createHeld({ federated_credentials: [], ...name })
    const { status, answer } = await send('PUT', '/register/held', { token, body: { client_name: 'New' } })
    assert.deepEqual([status, answer['client_name'], answer['federated_credentials']], [200, 'New', []])
    const { tls_client_auth_san_dns, token_endpoint_auth_method } = answer
    assert.deepEqual({ tls_client_auth_san_dns, token_endpoint_auth_method }, name)
  })
})
