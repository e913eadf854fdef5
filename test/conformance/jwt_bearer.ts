/** Cases of assertions as authorization grants: RFC 7523 §2.1 and §3, draft-ietf-oauth-identity-assertion-authz-grant-03. */

import type { ErrorCode } from '../../src/error_codes.ts'
import type { Reason } from '../../src/reasons.ts'
import { ISSUER, NOW } from '../support/world.ts'

type Values = Readonly<Record<string, unknown>>

export const IDP = 'https://idp.example'
/** A second issuer, which is trusted for identity assertions only. */
export const ENTERPRISE = 'https://enterprise.example'
export const RS = 'https://rs.example'
export const OTHER_RS = 'urn:example:rs'
export const ID_JAG = 'oauth-id-jag+jwt'

export interface GrantCase {
  readonly name: string
  /** Source of the expectation. */
  readonly see: string
  /** Members that differ from those of a good assertion; `undefined` leaves one out. */
  readonly header?: Values
  readonly claims?: Values
  readonly client_id?: string
  readonly form?: Values
  readonly expect:
    | {
        readonly status: 200
        readonly sub?: string
        readonly scope?: string
        readonly aud?: string | readonly string[]
        readonly act?: object | undefined
      }
    | { readonly status: 400 | 401; readonly error: ErrorCode; readonly reason: Reason }
}

const invalid = { status: 400, error: 'invalid_grant' } as const
const refused = (reason: Reason): GrantCase['expect'] => ({ ...invalid, reason })
const badScope = { status: 400, error: 'invalid_scope' } as const
const badTarget = { status: 400, error: 'invalid_target' } as const
const ok = { status: 200 } as const

const generic: readonly GrantCase[] = [
  { name: 'a good assertion', see: 'RFC 7523 §3', expect: { status: 200, sub: `${IDP}|ada`, scope: 'read' } },
  { name: 'no typ', see: 'RFC 7523 §3', header: { typ: undefined }, expect: ok },
  { name: 'the token endpoint as audience', see: 'RFC 7523 §3', claims: { aud: `${ISSUER}/token` }, expect: ok },
  { name: 'a list of one audience', see: 'RFC 7523 §3', claims: { aud: [ISSUER] }, expect: ok },
  { name: 'no jti', see: 'RFC 7523 §3', claims: { jti: undefined }, expect: ok },
  { name: 'a scope', see: 'RFC 7523 §2.1', form: { scope: 'write' }, expect: { status: 200, scope: 'write' } },
  { name: 'a resource', see: 'RFC 8707 §2', form: { resource: RS }, expect: { status: 200, aud: RS } },
  {
    name: 'separators in the subject',
    see: 'ours',
    claims: { sub: 'x|y%', tenant: 'a|b' },
    expect: { status: 200, sub: `${IDP}|a%7Cb|x%7Cy%25` },
  },
  { name: 'a subject with the name of a client', see: 'RFC 9068 §5', claims: { sub: 'app' }, expect: ok },
  ...(
    [
      ['no issuer', { iss: undefined }, 'federation_issuer_unknown'],
      ['an issuer that is not trusted', { iss: 'https://evil.example' }, 'federation_issuer_unknown'],
      ['this server as the issuer', { iss: ISSUER }, 'federation_issuer_unknown'],
      ['an issuer that is trusted for identity assertions only', { iss: ENTERPRISE }, 'federation_issuer_unknown'],
      ['no subject', { sub: undefined }, 'assertion_sub_wrong'],
      ['an empty subject', { sub: '' }, 'assertion_sub_wrong'],
      ['a subject that is too long', { sub: 'x'.repeat(2049) }, 'assertion_sub_wrong'],
      ['a tenant that is no text', { tenant: 1 }, 'assertion_sub_wrong'],
      ['no audience', { aud: undefined }, 'assertion_aud_wrong'],
      ['another audience', { aud: 'https://other.example' }, 'assertion_aud_wrong'],
      ['two audiences', { aud: [ISSUER, 'https://other.example'] }, 'assertion_aud_wrong'],
      ['no end', { exp: undefined }, 'assertion_exp_missing'],
      ['an end that has passed', { exp: NOW - 31 }, 'assertion_expired'],
      ['a start to come', { nbf: NOW + 60 }, 'assertion_not_yet_valid'],
      ['an age of more than an hour', { iat: NOW - 3601 }, 'assertion_too_old'],
      ['an actor that is no object', { act: 'app' }, 'assertion_act_wrong'],
      ['an actor of this server', { act: { sub: 'app', iss: ISSUER } }, 'assertion_act_wrong'],
      ['a key that is not proved', { cnf: { jkt: 'x' } }, 'assertion_not_bound'],
      ['a key that is no object', { cnf: 'x' }, 'assertion_not_bound'],
      ['a key of no kind', { cnf: {} }, 'assertion_not_bound'],
      ['a list of no keys', { cnf: [] }, 'assertion_not_bound'],
      ['a key that is null', { cnf: null }, 'assertion_not_bound'],
    ] as const
  ).map(([name, claims, reason]): GrantCase => ({ name, see: 'RFC 7523 §3', claims, expect: refused(reason) })),
  ...(
    [
      ['none', 'assertion_alg_not_allowed'],
      ['HS256', 'assertion_alg_not_allowed'],
      ['PS256', 'assertion_alg_not_allowed'],
    ] as const
  ).map(
    ([alg, reason]): GrantCase => ({
      name: `alg ${alg}`,
      see: 'RFC 8725 §3.1',
      header: { alg },
      expect: refused(reason),
    }),
  ),
  ...[
    'at+jwt',
    'dpop+jwt',
    'token-introspection+jwt',
    'revocations+jwt',
    'client-authentication+jwt',
    'logout+jwt',
  ].map(
    (typ): GrantCase => ({
      name: `typ ${typ}`,
      see: 'RFC 8725 §3.11',
      header: { typ },
      expect: refused('assertion_typ_wrong'),
    }),
  ),
  {
    name: 'a key of another issuer',
    see: 'RFC 7523 §3',
    header: { kid: 'two' },
    expect: refused('assertion_key_unknown'),
  },
  { name: 'crit', see: 'RFC 7515 §4.1.11', header: { crit: ['b64'], b64: true }, expect: refused('assertion_crit') },
]

const idJag: readonly GrantCase[] = [
  {
    name: 'a good one, which limits scope and resource',
    see: 'draft §4.4',
    expect: { status: 200, sub: `${ENTERPRISE}|ada`, scope: 'read', aud: RS },
  },
  { name: 'its type in capitals', see: 'RFC 7515 §4.1.9', header: { typ: ID_JAG.toUpperCase() }, expect: ok },
  { name: 'the resources as a list', see: 'draft §4.3', claims: { resource: [RS] }, expect: { status: 200, aud: RS } },
  { name: 'the same resource asked for', see: 'draft §4.4', form: { resource: RS }, expect: { status: 200, aud: RS } },
  { name: 'a list of one audience', see: 'draft §4.3', claims: { aud: [ISSUER] }, expect: ok },
  {
    name: 'fewer scopes asked for',
    see: 'draft §4.4',
    claims: { scope: 'read write' },
    form: { scope: 'write' },
    expect: { status: 200, scope: 'write' },
  },
  {
    name: 'no scope and no resource: those of the client',
    see: 'draft §4.3',
    claims: { scope: undefined, resource: undefined },
    expect: { status: 200, scope: 'read', aud: ISSUER },
  },
  {
    name: 'a scope beyond those of the client is left out',
    see: 'draft §4.4',
    claims: { scope: 'read admin' },
    expect: { status: 200, scope: 'read' },
  },
  {
    name: 'a tenant',
    see: 'draft §4.3',
    claims: { tenant: 't1' },
    expect: { status: 200, sub: `${ENTERPRISE}|t1|ada` },
  },
  {
    name: 'what else is said of an actor, left out',
    see: 'RFC 8693 §4.1',
    claims: { act: { sub: 'bot', client_id: 'app', nested: [[[]]] } },
    expect: { status: 200, act: { sub: 'bot', iss: ENTERPRISE } },
  },
  {
    name: 'actors, which are those of the issuer',
    see: 'draft §4.3',
    claims: { act: { sub: 'app', act: { sub: 'bot', iss: 'https://bots.example' } } },
    expect: {
      status: 200,
      act: { sub: 'app', iss: ENTERPRISE, act: { sub: 'bot', iss: 'https://bots.example' } },
    },
  },
  ...(
    [
      ['another client', { client_id: 'another' }, 'assertion_client_wrong'],
      ['no client', { client_id: undefined }, 'assertion_client_wrong'],
      ['no jti', { jti: undefined }, 'assertion_jti_missing'],
      ['no iat', { iat: undefined }, 'assertion_iat_missing'],
      ['the token endpoint as audience', { aud: `${ISSUER}/token` }, 'assertion_aud_wrong'],
      ['an audience that is good for other tokens', { aud: 'api://edgemint' }, 'assertion_aud_wrong'],
      ['two audiences', { aud: [ISSUER, ISSUER] }, 'assertion_aud_wrong'],
      ['an issuer that is trusted for other assertions only', { iss: IDP }, 'federation_issuer_unknown'],
      ['a scope that is no text', { scope: ['read'] }, 'assertion_malformed'],
      ['a resource that is no text', { resource: [1] }, 'assertion_malformed'],
      [
        'six actors',
        {
          act: {
            sub: '1',
            act: { sub: '2', act: { sub: '3', act: { sub: '4', act: { sub: '5', act: { sub: '6' } } } } },
          },
        },
        'assertion_act_wrong',
      ],
      ['actors with long names', { act: { sub: 'x'.repeat(2048) } }, 'assertion_act_wrong'],
      ['a key that is not proved', { cnf: { jkt: 'x' } }, 'assertion_not_bound'],
    ] as const
  ).map(([name, claims, reason]): GrantCase => ({ name, see: 'draft §4.4.1', claims, expect: refused(reason) })),
  {
    name: 'a scope beyond the assertion',
    see: 'draft §4.4',
    form: { scope: 'write' },
    expect: { ...badScope, reason: 'scope_not_held' },
  },
  {
    name: 'a wildcard in the assertion',
    see: 'ours',
    claims: { scope: '*' },
    form: { scope: 'write' },
    expect: { ...badScope, reason: 'scope_not_held' },
  },
  {
    name: 'a resource beyond the assertion',
    see: 'draft §4.4',
    form: { resource: OTHER_RS },
    expect: { ...badTarget, reason: 'resource_not_allowed' },
  },
  {
    name: 'a resource that the client does not have',
    see: 'draft §4.4',
    claims: { resource: 'https://elsewhere.example' },
    expect: { ...badTarget, reason: 'resource_not_allowed' },
  },
]

const requests: readonly GrantCase[] = [
  {
    name: 'no assertion',
    see: 'RFC 7521 §4.1',
    form: { assertion: undefined },
    expect: { status: 400, error: 'invalid_request', reason: 'grant_assertion_missing' },
  },
  ...['x', 'x.y', 'x.y.z', 'e'.repeat(50_000)].map(
    (assertion): GrantCase => ({
      name: `an assertion of ${assertion.length} characters that is none`,
      see: 'RFC 7523 §3.1',
      form: { assertion },
      expect: refused('assertion_malformed'),
    }),
  ),
  {
    name: 'a client without the grant',
    see: 'RFC 6749 §5.2',
    client_id: 'ungranted',
    expect: { status: 400, error: 'unauthorized_client', reason: 'grant_type_not_allowed' },
  },
  {
    name: 'a client that may use no issuer',
    see: 'draft §4.4.1',
    client_id: 'unlinked',
    expect: refused('federation_issuer_unknown'),
  },
  {
    name: 'a public client',
    see: 'draft §7.1',
    client_id: 'public',
    expect: { status: 400, error: 'unauthorized_client', reason: 'client_public' },
  },
  {
    name: 'a client that is disabled',
    see: 'RFC 6749 §5.2',
    client_id: 'disabled',
    expect: { status: 401, error: 'invalid_client', reason: 'client_disabled' },
  },
]

/** By the kind of the assertion that is good. */
export const grantCases: Readonly<Record<'generic' | 'idJag' | 'requests', readonly GrantCase[]>> = {
  generic,
  idJag,
  requests,
}
