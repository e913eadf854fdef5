/** Cases of a token exchange whose subject token is that of a platform: RFC 8693 §2, and what google-auth sends. */

import type { ErrorCode } from '../../src/error_codes.ts'
import type { Reason } from '../../src/reasons.ts'
import { ISSUER, NOW } from '../support/world.ts'

type Values = Readonly<Record<string, string | undefined>>

export interface ExchangeCase {
  readonly name: string
  /** Source of the expectation. */
  readonly see: string
  /** Parameters besides those of a good request; `undefined` leaves one out. */
  readonly form?: Values
  /** `Authorization: Basic` of this text. */
  readonly basic?: string
  /** Claims other than those of a good token. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly expect:
    | {
        readonly status: 200
        readonly sub?: string
        readonly scope?: string
        readonly aud?: string | readonly string[]
      }
    | { readonly status: 400 | 401; readonly error: ErrorCode; readonly reason: Reason }
}

export const TYPE = 'urn:ietf:params:oauth:token-type:'
export const SPIFFE = 'spiffe://example.org'
const invalid = { status: 400, error: 'invalid_request' } as const
const unauthenticated = { status: 401, error: 'invalid_client' } as const
const fine = { status: 200 } as const

const good: readonly ExchangeCase[] = [
  { name: 'a JWT', see: 'RFC 8693 §2.1', expect: { status: 200, scope: 'read' } },
  { name: 'an ID token', see: 'RFC 8693 §3', form: { subject_token_type: `${TYPE}id_token` }, expect: fine },
  {
    name: 'an access token is asked for',
    see: 'RFC 8693 §2.1',
    form: { requested_token_type: `${TYPE}access_token` },
    expect: fine,
  },
  { name: 'a scope', see: 'RFC 8693 §2.1', form: { scope: 'write' }, expect: { status: 200, scope: 'write' } },
  {
    name: 'a resource',
    see: 'RFC 8693 §2.1',
    form: { resource: 'https://rs.example' },
    expect: { status: 200, aud: 'https://rs.example' },
  },
  {
    name: 'an audience and a resource',
    see: 'RFC 8693 §2.1',
    form: { resource: 'https://rs.example', audience: 'urn:example:rs' },
    expect: { status: 200, aud: ['https://rs.example', 'urn:example:rs'] },
  },
  {
    name: 'the client as Basic with an empty secret',
    see: 'google-auth',
    form: { client_id: undefined },
    basic: 'deployer:',
    expect: fine,
  },
  { name: 'the client as Basic and as client_id', see: 'ours', basic: 'deployer:', expect: fine },
  {
    name: 'no client_id, and a client that has the sub of the token as its id',
    see: 'as client_assertion',
    form: { client_id: undefined },
    expect: { status: 200, sub: 'job' },
  },
  {
    name: 'a JWT-SVID of a client with the method spiffe_jwt',
    see: 'as client_assertion',
    form: { client_id: 'svid' },
    claims: { iss: undefined, sub: `${SPIFFE}/ns/prod` },
    expect: { status: 200, sub: 'svid' },
  },
  { name: 'unknown parameters', see: 'RFC 6749 §3.2', form: { options: '%7B%7D' }, expect: fine },
  { name: 'empty parameters', see: 'RFC 6749 §3.2', form: { actor_token: '', client_secret: '' }, expect: fine },
]

const parameters: readonly ExchangeCase[] = [
  {
    name: 'no subject_token',
    see: 'RFC 8693 §2.1',
    form: { subject_token: undefined },
    expect: { ...invalid, reason: 'subject_token_missing' },
  },
  ...[undefined, 'access_token', 'refresh_token', 'saml1', 'saml2', 'JWT', 'jwt '].map(
    (type): ExchangeCase => ({
      name: `subject_token_type ${type}`,
      see: 'RFC 8693 §2.2.2',
      form: { subject_token_type: type && TYPE + type },
      expect: { ...invalid, reason: 'subject_token_type_unsupported' },
    }),
  ),
  ...['jwt', 'id_token', 'refresh_token', 'txn_token', 'access-token'].map(
    (type): ExchangeCase => ({
      name: `requested_token_type ${type}`,
      see: 'vouch-sh/vouch#1186',
      form: { requested_token_type: TYPE + type },
      expect: { ...invalid, reason: 'requested_token_type_unsupported' },
    }),
  ),
  ...[
    { actor_token: 'x', actor_token_type: `${TYPE}jwt` },
    { actor_token: 'x' },
    { actor_token_type: `${TYPE}jwt` },
  ].map(
    (form): ExchangeCase => ({
      name: `the parameters ${Object.keys(form).join(' and ')}`,
      see: 'Keycloak ignores them',
      form,
      expect: { ...invalid, reason: 'actor_token_unsupported' },
    }),
  ),
  ...['https://other.example', 'urn:example:gone', ISSUER].map(
    (audience): ExchangeCase => ({
      name: `the audience ${audience}`,
      see: 'RFC 8693 §2.2.2',
      form: { audience },
      expect: {
        status: 400,
        error: 'invalid_target',
        reason: audience === 'urn:example:gone' ? 'resource_unknown' : 'resource_not_allowed',
      },
    }),
  ),
  {
    name: 'a resource with a fragment',
    see: 'RFC 8693 §2.1',
    form: { resource: 'https://rs.example#x' },
    expect: { status: 400, error: 'invalid_target', reason: 'resource_malformed' },
  },
  {
    name: 'the scope that google-auth asks for by default',
    see: 'google-auth',
    form: { scope: 'https://www.googleapis.com/auth/cloud-platform' },
    expect: { status: 400, error: 'invalid_scope', reason: 'scope_not_allowed' },
  },
]

const clients: readonly ExchangeCase[] = [
  {
    name: 'a client without the grant',
    see: 'RFC 6749 §5.2',
    form: { client_id: 'no-grant' },
    expect: { status: 400, error: 'unauthorized_client', reason: 'grant_type_not_allowed' },
  },
  {
    name: 'a public client',
    see: 'Zitadel',
    form: { client_id: 'public' },
    expect: { status: 400, error: 'unauthorized_client', reason: 'client_public' },
  },
  {
    name: 'a public client, named by Basic',
    see: 'Zitadel',
    form: { client_id: undefined },
    basic: 'public:',
    expect: { status: 400, error: 'unauthorized_client', reason: 'client_public' },
  },
  ...[
    ['secretive', 'auth_method_mismatch', 'a client that is registered for a secret'],
    ['nobody', 'client_unknown', 'an unknown client'],
    ['disabled', 'client_disabled', 'a disabled client'],
    ['other', 'federation_no_rule', 'a client whose rules describe another token'],
    ['bare', 'federation_issuer_unknown', 'a client without rules'],
    ['svid', 'assertion_sub_wrong', 'a client with the method spiffe_jwt'],
  ].flatMap(([client_id, reason, name]): ExchangeCase[] => [
    { name: `${name}`, see: '§6', form: { client_id }, expect: { ...unauthenticated, reason: reason as Reason } },
    {
      name: `${name}, named by Basic`,
      see: '§6',
      form: { client_id: undefined },
      basic: `${client_id}:`,
      expect: { ...unauthenticated, reason: reason as Reason },
    },
  ]),
  {
    name: 'a client_id that differs from that of Basic',
    see: 'RFC 6749 §5.2',
    basic: 'job:',
    expect: { ...invalid, reason: 'client_id_mismatch' },
  },
  {
    name: 'a secret that the client does not have, with Basic',
    see: 'RFC 6749 §2.3',
    basic: 'deployer:foobar',
    expect: { ...unauthenticated, reason: 'auth_method_mismatch' },
  },
  {
    name: 'the right secret of a client, with Basic',
    see: 'CVE-2026-9704',
    form: { client_id: undefined },
    basic: 'secretive:foobar',
    expect: { ...invalid, reason: 'subject_token_not_alone' },
  },
  {
    name: 'a wrong secret of a client, with Basic',
    see: 'CVE-2026-9704',
    form: { client_id: undefined },
    basic: 'secretive:wrong',
    expect: { ...unauthenticated, reason: 'secret_wrong' },
  },
  {
    name: 'Basic with an empty name',
    see: 'RFC 6749 §2.3.1',
    form: { client_id: undefined, subject_token: 'x' },
    basic: ':',
    expect: { ...unauthenticated, reason: 'assertion_malformed' },
  },
  {
    name: 'an assertion of an unknown type next to it',
    see: 'RFC 7521 §4.2',
    form: { client_assertion: 'x', client_assertion_type: 'y' },
    expect: { ...invalid, reason: 'assertion_type_unknown' },
  },
]

const tokens: readonly ExchangeCase[] = [
  {
    name: 'no JWT',
    see: 'RFC 7519 §7.2',
    form: { subject_token: 'garbage' },
    expect: { ...unauthenticated, reason: 'assertion_malformed' },
  },
  {
    name: 'the token endpoint as aud',
    see: 'RFC 7523bis',
    claims: { aud: `${ISSUER}/token` },
    expect: { ...unauthenticated, reason: 'assertion_aud_wrong' },
  },
  {
    name: 'two audiences',
    see: 'JWT-SVID §7.2',
    claims: { aud: [ISSUER, 'https://other.example'] },
    expect: { ...unauthenticated, reason: 'assertion_aud_wrong' },
  },
  {
    name: 'an expired token',
    see: 'RFC 7519 §4.1.4',
    claims: { exp: NOW - 30 },
    expect: { ...unauthenticated, reason: 'assertion_expired' },
  },
  {
    name: 'an issuer that nobody trusts',
    see: '§6',
    claims: { iss: 'https://evil.example' },
    expect: { ...unauthenticated, reason: 'federation_issuer_unknown' },
  },
  {
    name: 'no client_id, and a sub that is no client',
    see: '§6',
    form: { client_id: undefined },
    claims: { sub: 'stranger' },
    expect: { ...unauthenticated, reason: 'client_unknown' },
  },
  {
    name: 'no client_id and no sub',
    see: '§6',
    form: { client_id: undefined },
    claims: { sub: undefined },
    expect: { ...unauthenticated, reason: 'credentials_missing' },
  },
]

export const exchanges: Readonly<Record<string, readonly ExchangeCase[]>> = { good, parameters, clients, tokens }
