/** Cases of an exchange of access tokens of this server: RFC 8693, and the mistakes of other servers. */

import type { ErrorCode } from '../../src/error_codes.ts'
import type { Reason } from '../../src/reasons.ts'
import { ACCESS_TOKEN, api, type Fields } from '../support/exchange.ts'
import { TOKEN_TYPE } from '../support/federation.ts'

type Values = Readonly<Record<string, string | undefined>>

/** How a token was got from `/token`. */
export interface Origin {
  readonly client_id: string
  readonly form?: Fields
}

export interface OwnExchangeCase {
  readonly name: string
  /** Source of the expectation. */
  readonly see: string
  /** The subject token; by default the gateway's for service A. */
  readonly from?: Origin
  /** The actor token, and its type. */
  readonly actor?: Origin
  /** The client that exchanges. */
  readonly by: string
  readonly form?: Values
  readonly expect:
    | {
        readonly status: 200
        readonly scope?: string
        readonly aud?: string | readonly string[]
        readonly sub?: string
        readonly act?: object | undefined
        readonly claims?: object
        readonly allowed_by?: string
        readonly expires_in?: number
      }
    | { readonly status: 400 | 401; readonly error: ErrorCode; readonly reason: Reason }
}

const invalid = { status: 400, error: 'invalid_request' } as const
const toB = { resource: api('b') }

const good: readonly OwnExchangeCase[] = [
  {
    name: 'a service acts for the gateway that called it',
    see: 'RFC 8693 §4.1',
    by: 'a',
    form: toB,
    expect: {
      status: 200,
      scope: 'read write',
      aud: api('b'),
      sub: 'gateway',
      act: { sub: 'a' },
      claims: { tenant: 't1', client_id: 'a' },
      allowed_by: api('a'),
    },
  },
  {
    name: 'fewer scopes',
    see: 'RFC 8693 §2.1',
    by: 'a',
    form: { ...toB, scope: 'read' },
    expect: { status: 200, scope: 'read' },
  },
  {
    name: 'the target as an audience, and the type that is the default',
    see: 'RFC 8693 §2.1',
    by: 'a',
    form: { audience: api('b'), requested_token_type: ACCESS_TOKEN },
    expect: { status: 200, aud: api('b') },
  },
  {
    name: 'a client narrows a token of its own, and keeps its audience',
    see: 'RFC 8693 §1',
    by: 'gateway',
    form: { scope: 'read' },
    expect: { status: 200, scope: 'read', aud: api('a'), sub: 'gateway', act: undefined, allowed_by: 'own_token' },
  },
  {
    name: 'a client narrows a token of its own for no resource server',
    see: 'stacklok/toolhive PR #5822',
    from: { client_id: 'gateway', form: { scope: 'read' } },
    by: 'gateway',
    expect: { status: 200, scope: 'read', aud: 'https://tokens.example', allowed_by: 'own_token' },
  },
  {
    name: 'scopes by default are those that both the token and the client have',
    see: 'RFC 8693 §2.2.1',
    from: { client_id: 'gateway', form: { resource: api('a'), scope: 'read admin' } },
    by: 'a',
    form: toB,
    expect: { status: 200, scope: 'read' },
  },
  {
    name: 'a scope beyond the subject token that the client may add',
    see: 'ours',
    by: 'wide',
    form: { ...toB, scope: 'read users.list' },
    expect: { status: 200, scope: 'read users.list' },
  },
  {
    name: 'impersonation leaves the actor out',
    see: 'RFC 8693 §1.1',
    by: 'quiet',
    form: toB,
    expect: { status: 200, sub: 'gateway', act: undefined, claims: { client_id: 'quiet' } },
  },
  {
    name: 'an actor token, whose subject becomes the actor',
    see: 'RFC 8693 §2.1',
    actor: { client_id: 'a' },
    by: 'a',
    form: toB,
    expect: { status: 200, sub: 'gateway', act: { sub: 'a' } },
  },
  {
    name: 'an actor token next to a token of the client itself',
    see: 'Keycloak ignores it',
    from: { client_id: 'a', form: { resource: api('a') } },
    actor: { client_id: 'a' },
    by: 'a',
    expect: { status: 200, sub: 'a', act: { sub: 'a' } },
  },
  {
    name: 'an actor token of a client that may impersonate',
    see: 'RFC 8693 §1.1',
    actor: { client_id: 'quiet' },
    by: 'quiet',
    form: toB,
    expect: { status: 200, act: { sub: 'quiet' } },
  },
  {
    name: 'the client that may_act names',
    see: 'RFC 8693 §4.4',
    from: { client_id: 'strict', form: { resource: api('a') } },
    by: 'a',
    form: toB,
    expect: { status: 200, sub: 'strict', act: { sub: 'a' }, claims: { may_act: { sub: 'a' } } },
  },
  {
    name: 'the subject itself, though may_act names another client',
    see: 'RFC 8693 §4.4',
    from: { client_id: 'strict', form: { resource: api('a') } },
    by: 'strict',
    expect: { status: 200, sub: 'strict', act: undefined, claims: { may_act: { sub: 'a' } } },
  },
  {
    name: 'unknown parameters',
    see: 'RFC 6749 §3.2',
    by: 'a',
    form: { ...toB, options: '{}', actor_token: '' },
    expect: { status: 200 },
  },
]

const parameters: readonly OwnExchangeCase[] = [
  {
    name: 'no subject_token',
    see: 'keycloak CVE-2026-9704',
    by: 'a',
    form: { ...toB, subject_token: undefined },
    expect: { ...invalid, reason: 'subject_token_missing' },
  },
  ...[undefined, `${TOKEN_TYPE}refresh_token`, `${TOKEN_TYPE}saml2`, 'access_token'].map(
    (subject_token_type): OwnExchangeCase => ({
      name: `subject_token_type ${subject_token_type}`,
      see: 'RFC 8693 §2.2.2',
      by: 'a',
      form: { ...toB, subject_token_type },
      expect: { ...invalid, reason: 'subject_token_type_unsupported' },
    }),
  ),
  ...['jwt', 'id_token'].map(
    (type): OwnExchangeCase => ({
      name: `an access token as ${type}`,
      see: 'Abblix PR #175',
      by: 'a',
      form: { ...toB, subject_token_type: TOKEN_TYPE + type },
      expect: { ...invalid, reason: 'subject_token_not_alone' },
    }),
  ),
  ...['jwt', 'id_token', 'refresh_token', 'id-jag', 'txn_token'].map(
    (type): OwnExchangeCase => ({
      name: `requested_token_type ${type}`,
      see: 'vouch-sh/vouch#1186',
      by: 'a',
      form: { ...toB, requested_token_type: TOKEN_TYPE + type },
      expect: { ...invalid, reason: 'requested_token_type_unsupported' },
    }),
  ),
  ...[
    { actor_token: 'x' },
    { actor_token_type: ACCESS_TOKEN },
    { actor_token: 'x', actor_token_type: `${TOKEN_TYPE}jwt` },
  ].map(
    (form): OwnExchangeCase => ({
      name: `the pair ${JSON.stringify(form)}`,
      see: 'Keycloak ignores it',
      by: 'a',
      form: { ...toB, ...form },
      expect: { ...invalid, reason: 'actor_token_unsupported' },
    }),
  ),
  ...[
    ['', 'subject_token_missing'],
    ['x', 'subject_token_wrong'],
    ['x.y.z', 'subject_token_wrong'],
    ['x'.repeat(60_000), 'subject_token_wrong'],
    [`${'e'.repeat(20_000)}.${'e'.repeat(20_000)}.e`, 'subject_token_wrong'],
  ].map(
    ([subject_token = '', reason]): OwnExchangeCase => ({
      name: `a subject_token of ${subject_token.length} characters that is none`,
      see: 'RFC 8693 §2.2.2',
      by: 'a',
      form: { ...toB, subject_token },
      expect: { ...invalid, reason: reason as Reason },
    }),
  ),
  {
    name: 'an actor_token that is none',
    see: 'RFC 8693 §2.2.2',
    by: 'a',
    form: { ...toB, actor_token: 'x.y.z', actor_token_type: ACCESS_TOKEN },
    expect: { ...invalid, reason: 'actor_token_wrong' },
  },
]

const rights: readonly OwnExchangeCase[] = [
  {
    name: 'a public client',
    see: 'Zitadel',
    by: 'public',
    form: { ...toB, client_secret: undefined },
    expect: { status: 400, error: 'unauthorized_client', reason: 'client_public' },
  },
  {
    name: 'a client without the grant',
    see: 'RFC 6749 §5.2',
    by: 'ungranted',
    form: toB,
    expect: { status: 400, error: 'unauthorized_client', reason: 'grant_type_not_allowed' },
  },
  {
    name: 'a client with a wrong secret',
    see: 'RFC 6749 §5.2',
    by: 'a',
    form: { ...toB, client_secret: 'wrong' },
    expect: { status: 401, error: 'invalid_client', reason: 'secret_wrong' },
  },
  {
    name: 'no client',
    see: 'RFC 6749 §5.2',
    by: 'a',
    form: { ...toB, client_id: undefined, client_secret: undefined },
    expect: { status: 401, error: 'invalid_client', reason: 'credentials_missing' },
  },
  {
    name: 'a client without its secret: the token does not authenticate it',
    see: 'RFC 8693 §2.1',
    by: 'a',
    form: { ...toB, client_secret: undefined },
    expect: { status: 401, error: 'invalid_client', reason: 'auth_method_mismatch' },
  },
  {
    name: 'a client that is not in the audience',
    see: 'RFC 8693 §2.2.2',
    by: 'stranger',
    form: toB,
    expect: { ...invalid, reason: 'exchange_not_audience' },
  },
  {
    name: 'a service to which the token is not addressed',
    see: 'RFC 8693 §2.2.2',
    by: 'b',
    form: { resource: api('c') },
    expect: { ...invalid, reason: 'exchange_not_audience' },
  },
  {
    name: 'the issuer as the resource server that a client is',
    see: 'RFC 9068 §3',
    from: { client_id: 'gateway', form: { scope: 'read' } },
    by: 'issuer-wide',
    expect: { ...invalid, reason: 'exchange_not_audience' },
  },
  {
    name: 'another client than the one that may_act names',
    see: 'RFC 8693 §4.4',
    from: { client_id: 'strict', form: { resource: api('a') } },
    by: 'quiet',
    form: toB,
    expect: { ...invalid, reason: 'may_act_other' },
  },
  {
    name: 'the client that may_act names, with an actor token that it does not name',
    see: 'RFC 8693 §4.4',
    from: { client_id: 'strict', form: { resource: api('a') } },
    actor: { client_id: 'wide', form: { scope: 'read' } },
    by: 'wide',
    form: toB,
    expect: { ...invalid, reason: 'may_act_other' },
  },
  {
    name: 'an actor token of another client',
    see: 'RFC 8693 §2.2.2',
    actor: { client_id: 'b' },
    by: 'a',
    form: toB,
    expect: { ...invalid, reason: 'actor_token_wrong' },
  },
]

const limits: readonly OwnExchangeCase[] = [
  {
    name: 'no target for the token of another client',
    see: 'cloudflare/workers-oauth-provider PR #120',
    by: 'a',
    expect: { status: 400, error: 'invalid_target', reason: 'resource_missing' },
  },
  ...(['resource', 'audience'] as const).flatMap((parameter) =>
    ['https://evil.example', api('c'), 'https://tokens.example'].map(
      (target): OwnExchangeCase => ({
        name: `${parameter} ${target}`,
        see: 'thunder-id#2861, casdoor#5875',
        by: 'a',
        form: { [parameter]: target },
        expect: { status: 400, error: 'invalid_target', reason: 'resource_not_allowed' },
      }),
    ),
  ),
  {
    name: 'a resource that is not registered',
    see: 'RFC 8707 §2',
    by: 'gateway',
    form: { resource: 'urn:example:gone' },
    expect: { status: 400, error: 'invalid_target', reason: 'resource_unknown' },
  },
  {
    name: 'a scope that the subject token does not have',
    see: 'Spring, Keycloak',
    from: { client_id: 'gateway', form: { resource: api('a'), scope: 'read' } },
    by: 'a',
    form: { ...toB, scope: 'read write' },
    expect: { status: 400, error: 'invalid_scope', reason: 'scope_not_held' },
  },
  {
    name: 'a scope that the client does not have',
    see: 'modelcontextprotocol/python-sdk PR #2988',
    from: { client_id: 'gateway', form: { resource: api('a'), scope: 'read admin' } },
    by: 'a',
    form: { ...toB, scope: 'admin' },
    expect: { status: 400, error: 'invalid_scope', reason: 'scope_not_allowed' },
  },
  {
    name: 'a scope of may_widen that the client does not have',
    see: 'ours',
    by: 'wide',
    form: { ...toB, scope: 'write' },
    expect: { status: 400, error: 'invalid_scope', reason: 'scope_not_allowed' },
  },
  {
    name: 'a scope beyond a token of the client itself',
    see: 'RFC 8693 §1',
    from: { client_id: 'gateway', form: { scope: 'read' } },
    by: 'gateway',
    form: { scope: 'admin' },
    expect: { status: 400, error: 'invalid_scope', reason: 'scope_not_held' },
  },
]

/** By what they are about. */
export const ownExchanges: Readonly<Record<string, readonly OwnExchangeCase[]>> = { good, parameters, rights, limits }
