import assert from 'node:assert/strict'
import * as v from 'valibot'
import { describe, test } from '#test'
import { type Metadata, STORED } from '../../src/clients/members.ts'
import { SUBMITTED } from '../../src/clients/metadata.ts'
import { ClientRecord, methodsOf } from '../../src/clients/record.ts'
import { CLIENTS, clientRecord } from '../../src/clients/registry.ts'
import { parseRecord, toRecord } from '../../src/records/records.ts'

/** The most that can be handed in, by member. */
const MOST: { readonly [Name in keyof Metadata]-?: Metadata[Name] } = {
  client_name: 'x'.repeat(200),
  software_id: 'x'.repeat(200),
  software_version: 'x'.repeat(200),
  client_uri: 'https://a.example/'.padEnd(2048, 'a'),
  logo_uri: 'https://a.example/'.padEnd(2048, 'a'),
  tos_uri: 'https://a.example/'.padEnd(2048, 'a'),
  policy_uri: 'https://a.example/'.padEnd(2048, 'a'),
  contacts: Array(20).fill('x'.repeat(200)),
  grant_types: Array(20).fill('client_credentials'),
  token_endpoint_auth_method: 'x'.repeat(100),
  token_endpoint_auth_signing_alg: 'x'.repeat(100),
  jwks: { keys: Array(20).fill({ kty: 'EC' }) },
  jwks_uri: 'https://a.example/'.padEnd(2048, 'a'),
  scope: 'x'.repeat(8192),
  default_scope: 'x'.repeat(8192),
  resources: Array(100).fill('urn:a'),
  access_token_lifetime: 2_592_000,
  token_reuse_seconds: 300,
  claims: { a: 'x'.repeat(4000) },
  dpop_bound_access_tokens: true,
  tls_client_certificate_bound_access_tokens: true,
  introspection: true,
  token_exchange: {
    as: Array(20).fill('urn:a'),
    impersonation: true,
    may_widen: 'x'.repeat(8192),
    may_act: 'x'.repeat(256),
  },
  assertion_issuers: Array(20).fill('x'.repeat(256)),
  federated_credentials: Array.from({ length: 20 }, (_, index) => ({
    id: String(index).padStart(64, 'x'),
    label: 'x'.repeat(100),
    issuer: 'https://a.example/'.padEnd(256, 'a'),
    claims: { sub: 'x'.repeat(1024), ref: { glob: 'refs/heads/**' }, names: ['a', 'b'], number: 1, flag: true },
    created_at: 1,
    expires_at: 2,
    access_token_lifetime: 2_592_000,
  })),
  disabled: true,
  tls_client_auth_subject_dn: 'x'.repeat(512),
  tls_client_auth_san_dns: 'x'.repeat(512),
  tls_client_auth_san_uri: 'x'.repeat(512),
  tls_client_auth_san_ip: 'x'.repeat(512),
  tls_client_auth_san_email: 'x'.repeat(512),
}

/** Values that are refused when they are handed in, and that a record of another version may hold. */
const BEYOND: Partial<Record<keyof Metadata, unknown>> = {
  ...Object.fromEntries(
    Object.entries(MOST).flatMap(([name, most]) => (typeof most === 'string' ? [[name, `${most}x`]] : [])),
  ),
  contacts: Array(21).fill('\u0007'),
  grant_types: Array(21).fill('password'),
  resources: Array(101).fill('not a URI'),
  access_token_lifetime: 2_592_001,
  claims: { sub: 'x'.repeat(5000) },
  federated_credentials: [{ id: '#', issuer: 'a'.repeat(257), claims: { sub: { glob: '*' } } }],
  token_exchange: { as: Array(21).fill('not a URI'), may_act: '\u0007' },
  jwks: { keys: [] },
}

describe('members of a client', () => {
  test('what can be handed in can be read again, all of it at once', () => {
    assert.deepEqual(Object.keys(MOST).sort(), Object.keys(SUBMITTED).sort())
    for (const [name, value] of Object.entries(MOST)) {
      assert.deepEqual(v.parse(SUBMITTED[name as keyof Metadata], value), value, name)
    }
    const record = { client_id: 'a', ...MOST }
    assert.deepEqual(parseRecord(clientRecord(record), 'a', CLIENTS), record)
  })

  for (const [name, value] of Object.entries(BEYOND)) {
    test(`${name}: a value that is not accepted is still read`, () => {
      assert.ok(!v.is(SUBMITTED[name as keyof Metadata], value))
      const record = { client_id: 'a', [name]: value }
      assert.deepEqual(parseRecord(toRecord(record), 'a', CLIENTS), record)
    })
  }

  test('a value of another type is not read', () => {
    for (const name of Object.keys(STORED)) {
      assert.ok(!v.is(ClientRecord, { client_id: 'a', [name]: Symbol(name) }), name)
      assert.ok(!v.is(ClientRecord, { client_id: 'a', [name]: null }), name)
    }
  })

  test('all but the client_id can be missing', () => {
    assert.deepEqual(v.parse(ClientRecord, { client_id: 'a' }), { client_id: 'a' })
    assert.ok(!v.is(ClientRecord, {}))
  })
})

describe('methodsOf', () => {
  test('is the registered method, or either way of sending a secret', () => {
    for (const method of ['none', 'client_secret_basic', 'private_key_jwt']) {
      assert.deepEqual(methodsOf({ token_endpoint_auth_method: method }), [method])
    }
    assert.deepEqual(methodsOf({}), ['client_secret_basic', 'client_secret_post'])
  })
})
