/** Cases of requests to a protected API: RFC 6750, RFC 8705, RFC 9068, RFC 9449 and RFC 9728. */

import type { GuardDemands, GuardReason, ProtectOptions } from '../../src/resource_server.ts'
import { API, JKT, type ProofMaking, type TokenMaking } from '../support/guarded.ts'
import { RS } from '../support/revocable.ts'
import { ISSUER, NOW } from '../support/world.ts'

export interface GuardCase {
  readonly name: string
  /** The document that asks for it. */
  readonly see: string
  readonly token?: TokenMaking
  /** Changes the text of the token. */
  readonly change?: (token: string) => string
  /** Bearer by default; DPoP with a proof. */
  readonly authorization?: (token: string) => string | undefined
  readonly proof?: ProofMaking
  /** The DPoP header as it is. */
  readonly dpopHeader?: string
  readonly method?: string
  readonly url?: string
  readonly demands?: GuardDemands
  readonly options?: Partial<ProtectOptions>
  readonly expect:
    | { readonly status: 200 }
    | { readonly status: number; readonly reason: GuardReason; readonly challenge?: string }
}

const accepted = { status: 200 } as const
const refused = (reason: GuardReason, challenge = 'Bearer error="invalid_token"') =>
  ({ status: 401, reason, challenge }) as const
const malformed = { status: 400, reason: 'credentials_malformed' } as const
const algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256"'
const bound = { claims: { cnf: { jkt: JKT } } } as const
const THUMBPRINT = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2'

const credentials: readonly GuardCase[] = [
  { name: 'a bearer token', see: 'RFC 6750 §2.1', expect: accepted },
  {
    name: 'the scheme in capitals',
    see: 'RFC 9110 §11.1',
    authorization: (token) => `BEARER ${token}`,
    expect: accepted,
  },
  { name: 'two spaces', see: 'RFC 9110 §11.4', authorization: (token) => `Bearer  ${token}`, expect: accepted },
  {
    name: 'no credentials',
    see: 'RFC 6750 §3: no error code; RFC 9449 §7.1: both schemes',
    authorization: () => undefined,
    expect: { status: 401, reason: 'credentials_missing', challenge: `Bearer, DPoP ${algs}` },
  },
  {
    name: 'no credentials, where DPoP is required',
    see: 'RFC 9449 §7.1',
    options: { dpop: { required: true } },
    authorization: () => undefined,
    expect: { status: 401, reason: 'credentials_missing', challenge: `DPoP ${algs}` },
  },
  {
    name: 'no credentials, where the API has metadata',
    see: 'RFC 9728 §5.1',
    options: { resourceMetadata: `${RS}/.well-known/oauth-protected-resource` },
    authorization: () => undefined,
    expect: {
      status: 401,
      reason: 'credentials_missing',
      challenge: `Bearer resource_metadata="${RS}/.well-known/oauth-protected-resource", DPoP resource_metadata="${RS}/.well-known/oauth-protected-resource", ${algs}`,
    },
  },
  {
    name: 'another scheme',
    see: 'RFC 6750 §3.1: no error code',
    authorization: () => `Basic ${btoa('test-client:foobar')}`,
    expect: { status: 401, reason: 'credentials_missing', challenge: `Bearer, DPoP ${algs}` },
  },
  {
    name: 'an empty header',
    see: 'RFC 6750 §3.1',
    authorization: () => '',
    expect: { status: 401, reason: 'credentials_missing' },
  },
  { name: 'no token', see: 'RFC 6750 §2.1', authorization: () => 'Bearer', expect: malformed },
  {
    name: 'a token with a space',
    see: 'RFC 6750 §2.1',
    authorization: (token) => `Bearer ${token} x`,
    expect: malformed,
  },
  { name: 'a token in quotes', see: 'RFC 6750 §2.1', authorization: (token) => `Bearer "${token}"`, expect: malformed },
  {
    name: 'two Authorization headers',
    see: 'RFC 6750 §2',
    authorization: (token) => `Bearer ${token}, Bearer ${token}`,
    expect: malformed,
  },
  {
    name: 'two Authorization headers of two schemes',
    see: 'RFC 6750 §2',
    authorization: (token) => `Bearer ${token}, DPoP ${token}`,
    expect: malformed,
  },
  {
    name: 'another scheme beside the token',
    see: 'RFC 6750 §2',
    authorization: (token) => `Basic dTpw, Bearer ${token}`,
    expect: malformed,
  },
  {
    name: 'the token in the query',
    see: 'RFC 6750 §2.3, RFC 9700 §4.3.2',
    url: `${API}?a=1&access%5Ftoken=x`,
    authorization: () => undefined,
    expect: { status: 400, reason: 'credentials_in_query' },
  },
  {
    name: 'the token in the header and in the query',
    see: 'RFC 6750 §2',
    url: `${API}?access_token=x`,
    expect: { status: 400, reason: 'credentials_in_query' },
  },
  { name: 'a value access_token in the query', see: 'ours', url: `${API}?sort=access_token`, expect: accepted },
]

const header: readonly GuardCase[] = [
  { name: 'typ in capitals', see: 'RFC 9068 §2.1', token: { header: { typ: 'AT+JWT' } }, expect: accepted },
  {
    name: 'typ as a media type',
    see: 'RFC 9068 §2.1',
    token: { header: { typ: 'application/at+jwt' } },
    expect: accepted,
  },
  { name: 'unknown members', see: 'RFC 7515 §4', token: { header: { foo: 1 } }, expect: accepted },
  { name: 'without kid', see: 'RFC 9068 §2', token: { header: { kid: undefined } }, expect: accepted },
  ...['JWT', 'revocations+jwt', 'token-introspection+jwt', 'dpop+jwt', undefined, 7].map(
    (typ): GuardCase => ({
      name: `typ ${typ}`,
      see: 'RFC 9068 §4',
      token: { header: { typ } },
      expect: refused('token_typ_wrong'),
    }),
  ),
  { name: 'crit', see: 'RFC 7515 §4.1.11', token: { header: { crit: ['b64'] } }, expect: refused('token_crit') },
  { name: 'b64', see: 'RFC 7797 §6', token: { header: { b64: false } }, expect: refused('token_crit') },
  ...['none', 'None', 'HS256', 'RS1', undefined, 7].map(
    (alg): GuardCase => ({
      name: `alg ${alg}`,
      see: 'RFC 8725 §3.1',
      token: { header: { alg } },
      expect: refused('token_alg_not_allowed'),
    }),
  ),
  {
    name: 'an algorithm that the API does not take',
    see: 'RFC 8725 §3.1',
    options: { algorithms: ['ES256'] },
    expect: refused('token_alg_not_allowed'),
  },
  {
    name: 'an algorithm of other keys',
    see: 'RFC 8725 §3.1',
    token: { header: { alg: 'ES256' } },
    expect: refused('token_key_unknown'),
  },
  {
    name: 'an unknown kid',
    see: 'RFC 7515 §4.1.4',
    token: { header: { kid: 'x' } },
    expect: refused('token_key_unknown'),
  },
  {
    name: 'a kid that is a number',
    see: 'RFC 7515 §4.1.4',
    token: { header: { kid: 7 } },
    expect: refused('token_malformed'),
  },
  {
    name: 'the key of another party',
    see: 'RFC 8725 §3.2',
    token: { isForged: true },
    expect: refused('token_key_unknown'),
  },
  {
    name: 'the key of another party, without kid',
    see: 'RFC 8725 §3.2',
    token: { isForged: true, header: { kid: undefined } },
    expect: refused('token_signature_wrong'),
  },
  {
    name: 'another payload',
    see: 'RFC 7515 §5.2',
    change: (token) => token.replace(/\.(.)/, (_, first) => `.${first === 'e' ? 'f' : 'e'}`),
    expect: refused('token_signature_wrong'),
  },
  {
    name: 'no signature',
    see: 'RFC 8725 §3.2',
    change: (token) => token.replace(/[^.]*$/, ''),
    expect: refused('token_malformed'),
  },
  {
    name: 'two parts',
    see: 'RFC 7515 §7.1',
    change: (token) => token.replace(/\.[^.]*$/, ''),
    expect: refused('token_malformed'),
  },
  { name: 'five parts', see: 'RFC 7516', change: (token) => `${token}.a.b`, expect: refused('token_malformed') },
  { name: 'an opaque token', see: 'RFC 9068', change: () => 'x', expect: refused('token_malformed') },
  {
    name: 'a header that is no object',
    see: 'RFC 7515 §4',
    change: (token) => token.replace(/^[^.]*/, btoa('[1]')),
    expect: refused('token_malformed'),
  },
  {
    name: 'more than 16 KiB',
    see: 'ours',
    token: { claims: { x: 'x'.repeat(16384) } },
    expect: refused('token_malformed'),
  },
]

const instants = [undefined, '1800000600', null, Number.POSITIVE_INFINITY] as const

const claims: readonly GuardCase[] = [
  { name: 'audience in a list', see: 'RFC 9068 §2.2', token: { claims: { aud: ['urn:x', RS] } }, expect: accepted },
  { name: 'one of the names of the API', see: 'RFC 9068 §4', options: { audience: ['urn:x', RS] }, expect: accepted },
  { name: 'within the skew after exp', see: 'RFC 7519 §4.1.4', token: { claims: { exp: NOW - 29 } }, expect: accepted },
  {
    name: 'within the skew before iat and nbf',
    see: 'RFC 7519 §4.1.5',
    token: { claims: { iat: NOW + 30, nbf: NOW + 30 } },
    expect: accepted,
  },
  { name: 'without scope', see: 'RFC 9068 §2.2.3', token: { claims: { scope: undefined } }, expect: accepted },
  ...[`${ISSUER}/`, 'https://tokens.example.evil', undefined, [ISSUER]].map(
    (iss): GuardCase => ({
      name: `iss ${iss}`,
      see: 'RFC 9068 §4',
      token: { claims: { iss } },
      expect: refused('token_iss_wrong'),
    }),
  ),
  ...[ISSUER, `${RS}/`, [], ['urn:x'], undefined, 7, { 0: RS }, '*'].map(
    (aud): GuardCase => ({
      name: `aud ${JSON.stringify(aud)}`,
      see: 'RFC 9068 §4',
      token: { claims: { aud } },
      expect: refused('token_aud_wrong'),
    }),
  ),
  ...['sub', 'client_id', 'jti'].flatMap((name) =>
    [undefined, '', 7, null].map(
      (value): GuardCase => ({
        name: `${name} ${JSON.stringify(value)}`,
        see: 'RFC 9068 §2.2',
        token: { claims: { [name]: value } },
        expect: refused('token_claim_wrong'),
      }),
    ),
  ),
  ...['exp', 'iat'].flatMap((name) =>
    instants.map(
      (value): GuardCase => ({
        name: `${name} ${value}`,
        see: 'RFC 9068 §2.2',
        token: { claims: { [name]: value } },
        expect: refused('token_claim_wrong'),
      }),
    ),
  ),
  {
    name: 'nbf that is no number',
    see: 'RFC 7519 §4.1.5',
    token: { claims: { nbf: '0' } },
    expect: refused('token_claim_wrong'),
  },
  {
    name: 'scope in a list',
    see: 'RFC 8693 §4.2',
    token: { claims: { scope: ['read'] } },
    expect: refused('token_claim_wrong'),
  },
  { name: 'expired', see: 'RFC 9068 §4', token: { claims: { exp: NOW - 30 } }, expect: refused('token_expired') },
  {
    name: 'expired, without a skew',
    see: 'RFC 9068 §4',
    options: { clockSkewSeconds: 0 },
    token: { claims: { exp: NOW } },
    expect: refused('token_expired'),
  },
  {
    name: 'issued in the future',
    see: 'RFC 9068 §4',
    token: { claims: { iat: NOW + 31 } },
    expect: refused('token_not_yet_valid'),
  },
  {
    name: 'not yet valid',
    see: 'RFC 7519 §4.1.5',
    token: { claims: { nbf: NOW + 31 } },
    expect: refused('token_not_yet_valid'),
  },
  ...[{}, [], { type: 'x' }, [{ locations: [] }], ['x'], null].map(
    (authorization_details): GuardCase => ({
      name: `authorization_details ${JSON.stringify(authorization_details)}`,
      see: 'RFC 9396 §2',
      token: { claims: { authorization_details } },
      expect: JSON.stringify(authorization_details) === '[]' ? accepted : refused('token_claim_wrong'),
    }),
  ),
  ...['agent', {}, { sub: 7 }, null, []].map(
    (act): GuardCase => ({
      name: `act ${JSON.stringify(act)}`,
      see: 'RFC 8693 §4.1',
      token: { claims: { act } },
      expect: refused('token_claim_wrong'),
    }),
  ),
  { name: 'any actor', see: 'RFC 8693 §4.1', token: { claims: { act: { sub: 'agent' } } }, expect: accepted },
  {
    name: 'an actor of the list',
    see: 'ours',
    options: { actors: ['agent'] },
    token: { claims: { act: { sub: 'agent' } } },
    expect: accepted,
  },
  { name: 'no actor', see: 'ours', options: { actors: ['agent'] }, expect: accepted },
  {
    name: 'an actor that is not on the list',
    see: 'ours',
    options: { actors: ['agent'] },
    token: { claims: { act: { sub: 'other', act: { sub: 'agent' } } } },
    expect: refused('token_actor_wrong'),
  },
]

const insufficient = (scope: string, reason: GuardReason = 'scope_insufficient') =>
  ({ status: 403, reason, challenge: `Bearer error="insufficient_scope", scope="${scope}"` }) as const
const details = [
  { type: 'payment', actions: ['read'] },
  { type: 'payment', actions: ['write'] },
]

const demands: readonly GuardCase[] = [
  { name: 'a scope of the token', see: 'RFC 6750 §3.1', demands: { scope: 'read' }, expect: accepted },
  { name: 'all scopes of the token', see: 'RFC 6750 §3.1', demands: { scope: 'write read' }, expect: accepted },
  { name: 'any of two scopes', see: 'RFC 6750 §3.1', demands: { anyScope: 'admin write' }, expect: accepted },
  {
    name: 'one scope of two',
    see: 'RFC 6750 §3.1',
    demands: { scope: 'read admin' },
    expect: insufficient('read admin'),
  },
  {
    name: 'none of two scopes',
    see: 'RFC 6750 §3.1',
    demands: { anyScope: 'admin root' },
    expect: insufficient('admin root'),
  },
  { name: 'a scope that begins so', see: 'ours', demands: { scope: 'rea' }, expect: insufficient('rea') },
  {
    name: 'a token with a wildcard',
    see: 'ours',
    token: { claims: { scope: '* read*' } },
    demands: { scope: 'read' },
    expect: insufficient('read'),
  },
  { name: 'a scope in capitals', see: 'RFC 6749 §3.3', demands: { scope: 'READ' }, expect: insufficient('READ') },
  {
    name: 'a token without scope',
    see: 'RFC 6750 §3.1',
    token: { claims: { scope: undefined } },
    demands: { scope: 'read' },
    expect: insufficient('read'),
  },
  {
    name: 'an authorization detail',
    see: 'RFC 9396 §9.1',
    token: { claims: { authorization_details: details } },
    demands: { authorizationDetail: ({ actions }) => Array.isArray(actions) && actions.includes('write') },
    expect: accepted,
  },
  {
    name: 'no such authorization detail',
    see: 'RFC 9396 §9.1',
    token: { claims: { authorization_details: details } },
    demands: { authorizationDetail: ({ type }) => type === 'account' },
    expect: {
      status: 403,
      reason: 'authorization_details_insufficient',
      challenge: 'Bearer error="insufficient_scope"',
    },
  },
]

const proofRefused = (reason: GuardReason) => refused(reason, 'DPoP error="invalid_dpop_proof"')

const dpop: readonly GuardCase[] = [
  { name: 'a bound token with its proof', see: 'RFC 9449 §7.1', token: bound, proof: {}, expect: accepted },
  {
    name: 'the scheme in lower case',
    see: 'RFC 9110 §11.1',
    token: bound,
    proof: {},
    authorization: (token) => `dpop ${token}`,
    expect: accepted,
  },
  {
    name: 'a request with a query',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: {},
    url: `${API}?a=1`,
    expect: accepted,
  },
  {
    name: 'another method',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { claims: { htm: 'DELETE' } },
    method: 'DELETE',
    expect: accepted,
  },
  {
    name: 'behind a proxy',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: {},
    url: 'http://10.0.0.7:3000/reports?a=1',
    options: { dpop: { origin: RS } },
    expect: accepted,
  },
  {
    name: 'a bound token as a bearer token',
    see: 'RFC 9449 §7.2',
    token: bound,
    expect: refused('binding_needs_dpop', 'DPoP error="invalid_token"'),
  },
  {
    name: 'a bound token as a bearer token, with its proof',
    see: 'RFC 9449 §7.2',
    token: bound,
    proof: {},
    authorization: (token) => `Bearer ${token}`,
    expect: refused('binding_needs_dpop', 'DPoP error="invalid_token"'),
  },
  {
    name: 'a token that is not bound',
    see: 'RFC 9449 §7.1',
    proof: {},
    expect: refused('binding_missing', 'DPoP error="invalid_token"'),
  },
  {
    name: 'a bearer token where DPoP is required',
    see: 'RFC 9449 §7.2',
    options: { dpop: { required: true } },
    expect: refused('binding_missing', 'DPoP error="invalid_token"'),
  },
  {
    name: 'no proof',
    see: 'RFC 9449 §7.1',
    token: bound,
    authorization: (token) => `DPoP ${token}`,
    expect: proofRefused('dpop_missing'),
  },
  {
    name: 'two proofs',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: {},
    dpopHeader: 'a.b.c, a.b.c',
    expect: proofRefused('dpop_malformed'),
  },
  {
    name: 'the key of another party',
    see: 'RFC 9449 §7.1',
    token: bound,
    proof: { isOfStranger: true },
    expect: refused('binding_key_wrong', 'DPoP error="invalid_token"'),
  },
  {
    name: 'another typ',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { header: { typ: 'JWT' } },
    expect: proofRefused('dpop_header_wrong'),
  },
  {
    name: 'a symmetric algorithm',
    see: 'RFC 9449 §4.3',
    token: bound,
    dpopHeader: `${btoa('{"typ":"dpop+jwt","alg":"HS256"}').replaceAll('=', '')}.e30.AA`,
    expect: proofRefused('dpop_alg_not_allowed'),
  },
  {
    name: 'no key',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { header: { jwk: undefined } },
    expect: proofRefused('dpop_key_wrong'),
  },
  {
    name: 'a signature by another key than that of its header',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: {
      header: {
        jwk: {
          kty: 'EC',
          crv: 'P-256',
          x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
          y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
        },
      },
    },
    expect: proofRefused('dpop_signature_wrong'),
  },
  {
    name: 'htm of another method',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { claims: { htm: 'POST' } },
    expect: proofRefused('dpop_htm_wrong'),
  },
  {
    name: 'htm in lower case',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { claims: { htm: 'get' } },
    expect: proofRefused('dpop_htm_wrong'),
  },
  ...[`${RS}/other`, 'https://evil.example/reports', `${API}/`, 'reports', undefined].map(
    (htu): GuardCase => ({
      name: `htu ${htu}`,
      see: 'RFC 9449 §4.3',
      token: bound,
      proof: { claims: { htu } },
      expect: proofRefused('dpop_htu_wrong'),
    }),
  ),
  {
    name: 'a proof of long ago',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { claims: { iat: NOW - 90 } },
    expect: proofRefused('dpop_iat_wrong'),
  },
  {
    name: 'a proof of the future',
    see: 'RFC 9449 §4.3',
    token: bound,
    proof: { claims: { iat: NOW + 31 } },
    expect: proofRefused('dpop_iat_wrong'),
  },
  {
    name: 'no jti',
    see: 'RFC 9449 §4.2',
    token: bound,
    proof: { claims: { jti: undefined } },
    expect: proofRefused('dpop_jti_missing'),
  },
  ...['x', undefined, ''].map(
    (ath): GuardCase => ({
      name: `ath ${ath}`,
      see: 'RFC 9449 §7.1',
      token: bound,
      proof: { claims: { ath } },
      expect: proofRefused('dpop_ath_wrong'),
    }),
  ),
  {
    name: 'no nonce where the API has nonces',
    see: 'RFC 9449 §9',
    options: { dpop: { nonceSecret: 'a secret of the API, shared by its processes' } },
    token: bound,
    proof: {},
    expect: refused('dpop_nonce_wrong', 'DPoP error="use_dpop_nonce"'),
  },
  {
    name: 'a bound token with too few scopes',
    see: 'RFC 9449 §7.1',
    token: bound,
    proof: {},
    demands: { scope: 'admin' },
    expect: { status: 403, reason: 'scope_insufficient', challenge: 'DPoP error="insufficient_scope", scope="admin"' },
  },
]

const bindings: readonly GuardCase[] = [
  {
    name: 'the certificate of the token',
    see: 'RFC 8705 §3',
    token: { claims: { cnf: { 'x5t#S256': THUMBPRINT } } },
    options: { certificate: () => THUMBPRINT },
    expect: accepted,
  },
  {
    name: 'another certificate',
    see: 'RFC 8705 §3',
    token: { claims: { cnf: { 'x5t#S256': THUMBPRINT } } },
    options: { certificate: () => new Uint8Array([1, 2, 3]) },
    expect: refused('certificate_wrong'),
  },
  {
    name: 'no certificate',
    see: 'RFC 8705 §3',
    token: { claims: { cnf: { 'x5t#S256': THUMBPRINT } } },
    expect: refused('certificate_missing'),
  },
  {
    name: 'a certificate and a key',
    see: 'RFC 7800 §3.1',
    token: { claims: { cnf: { jkt: JKT, 'x5t#S256': THUMBPRINT } } },
    proof: {},
    demands: { certificate: THUMBPRINT },
    expect: accepted,
  },
  {
    name: 'a key without the certificate',
    see: 'RFC 7800 §3.1',
    token: { claims: { cnf: { jkt: JKT, 'x5t#S256': THUMBPRINT } } },
    proof: {},
    expect: refused('certificate_missing', 'DPoP error="invalid_token"'),
  },
  ...[{}, [], { kid: 'x' }, { jwk: {} }, { jkt: 7 }, { jkt: JKT, kid: 'x' }, { 'x5t#S256': [] }, 'x', null].map(
    (cnf): GuardCase => ({
      name: `cnf ${JSON.stringify(cnf)}`,
      see: 'RFC 7800 §3.1',
      token: { claims: { cnf } },
      expect: refused('binding_unknown'),
    }),
  ),
]

/** All cases, by what they are about. */
export const guardCases: Readonly<Record<string, readonly GuardCase[]>> = {
  credentials,
  header,
  claims,
  demands,
  dpop,
  bindings,
}
