import assert from 'node:assert/strict'
import { describe, test } from '#test'
import {
  operatorMembersOf,
  readClient,
  refuseOperatorsMembers,
  replaceClient,
  withoutHash,
} from '../../src/clients/management.ts'
import { OPERATOR_MEMBERS, type RegisteredClient } from '../../src/clients/members.ts'
import { clientRecord } from '../../src/clients/registry.ts'
import { OAuthError } from '../../src/errors.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'
import { NOW } from '../support/world.ts'

const hash = await hashSecret('foobar')
const CREDENTIAL = { id: '1', issuer: 'https://issuer.example', claims: { sub: 'a' }, created_at: 5 }
const held: RegisteredClient = {
  client_id: 'a',
  client_name: 'old',
  client_id_issued_at: 7,
  registration_access_token_hash: 'hash',
  grant_types: ['client_credentials'],
  scope: 'read',
  default_scope: 'read',
  resources: ['urn:a'],
  access_token_lifetime: 60,
  token_reuse_seconds: 30,
  claims: { a: 1, b: [2] },
  introspection: true,
  disabled: false,
  dpop_bound_access_tokens: true,
  federated_credentials: [CREDENTIAL],
  tls_client_certificate_bound_access_tokens: false,
  client_secrets: [{ id: '1', hash, label: 'one', created_at: 5, expires_at: 0 }],
}

describe('replaceClient', () => {
  test('keeps when the client was made, its token and its secrets, by whomever it is replaced', async () => {
    for (const caller of ['client', 'operator'] as const) {
      const { client, made } = await replaceClient('a', { client_name: 'new' }, undefined, held, caller, NOW)
      assert.equal(made, undefined)
      const { client_id_issued_at, registration_access_token_hash, client_secrets, client_name, scope } = client
      assert.deepEqual(
        [client_id_issued_at, registration_access_token_hash, client_name, scope],
        [7, 'hash', 'new', undefined],
      )
      assert.deepEqual(client_secrets, held.client_secrets)
    }
  })

  test('a new one was made now, and gets a secret unless it proves itself otherwise or brings a list', async () => {
    for (const [method, isMade] of [
      [undefined, true],
      ['client_secret_basic', true],
      ['client_secret_post', true],
      ['private_key_jwt', false],
      ['tls_client_auth', false],
      ['self_signed_tls_client_auth', false],
      ['none', false],
    ] as const) {
      const metadata = method === undefined ? {} : { token_endpoint_auth_method: method }
      const { client, made } = await replaceClient('a', metadata, undefined, undefined, 'operator', NOW)
      assert.equal(client.client_id_issued_at, NOW)
      assert.deepEqual([made !== undefined, client.client_secrets?.length], [isMade, isMade ? 1 : 0])
      assert.deepEqual(client.client_secrets, made === undefined ? [] : [made.secret])
      const listed = await replaceClient('a', metadata, [{ id: '1', hash }], undefined, 'operator', NOW)
      assert.deepEqual([listed.made, listed.client.client_secrets?.length], [undefined, 1])
      assert.deepEqual((await replaceClient('a', metadata, [], held, 'operator', NOW)).client.client_secrets, [])
    }
  })
})

describe('members that only an operator sets', () => {
  const changes: Readonly<Record<string, readonly unknown[]>> = {
    grant_types: [[], ['client_credentials', 'x']],
    scope: ['', 'read write'],
    default_scope: ['', 'write'],
    resources: [[], ['urn:b']],
    access_token_lifetime: [59, 61, '60'],
    token_reuse_seconds: [0, 31, '30'],
    claims: [{}, { a: 1 }, { a: 1, b: [3] }],
    introspection: [false, 'true'],
    assertion_issuers: [[], ['https://idp.example']],
    token_exchange: [{}, { as: ['urn:a'], impersonation: true }],
    disabled: [true],
    dpop_bound_access_tokens: [false],
    federated_credentials: [[], [{ ...CREDENTIAL, claims: { sub: 'b' } }], [CREDENTIAL, CREDENTIAL]],
    tls_client_certificate_bound_access_tokens: [true],
    client_secrets: [
      [],
      [{ id: '1', hash }],
      held.client_secrets,
      [{ id: '1', label: 'one', created_at: 5, expires_at: 9 }],
    ],
  }
  test('are the ones below', () => {
    assert.deepEqual(Object.keys(changes).sort(), [...OPERATOR_MEMBERS].sort())
  })

  for (const [member, values] of Object.entries(changes)) {
    test(`${member} is the operator's`, () => {
      for (const value of values) {
        assert.throws(
          () => refuseOperatorsMembers({ [member]: value }, held),
          (error) =>
            error instanceof OAuthError &&
            error.reason === 'metadata_not_yours' &&
            error.message.startsWith(`${member}:`),
        )
      }
      const as =
        member === 'client_secrets' ? held.client_secrets?.map(withoutHash) : held[member as keyof RegisteredClient]
      assert.doesNotThrow(() => refuseOperatorsMembers({ [member]: as, client_name: 'new' }, held))
      const kept: Readonly<Record<string, unknown>> = { ...operatorMembersOf(held) }
      assert.deepEqual(kept[member], member === 'client_secrets' ? undefined : as)
      assert.ok(!('client_name' in kept) && !('client_secrets' in kept))
    })
  }

  test('a member that the client never had cannot be given by itself either', () => {
    for (const member of Object.keys(changes)) {
      assert.throws(() => refuseOperatorsMembers({ [member]: 'x' }, { client_id: 'a' }), OAuthError)
    }
    assert.doesNotThrow(() => refuseOperatorsMembers({ client_name: 'new' }, { client_id: 'a' }))
    assert.ok(
      Object.values(operatorMembersOf({ client_id: 'a', client_name: 'b' })).every((value) => value === undefined),
    )
  })
})

describe('readClient and withoutHash', () => {
  test('give a record as it was written, and a secret without its hash', () => {
    assert.deepEqual(readClient(clientRecord(held), 'a'), held)
    assert.equal(readClient(undefined, 'a'), undefined)
    assert.throws(() => readClient(clientRecord(held), 'b'))
    assert.throws(() => readClient('{', 'a'))
    const [secret] = held.client_secrets ?? []
    assert.deepEqual(secret && withoutHash(secret), { id: '1', label: 'one', created_at: 5, expires_at: 0 })
  })
})
