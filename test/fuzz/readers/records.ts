/** What operators and clients submit: metadata of clients, resource servers, trusted issuers. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as v from 'valibot'
import { isPublicUrl } from '../../../src/assertions/remote_keys.ts'
import { readMetadata } from '../../../src/clients/metadata.ts'
import { CLIENTS, clientRecord } from '../../../src/clients/registry.ts'
import { invalidRequest, OAuthError } from '../../../src/errors.ts'
import { problemOfIssuer } from '../../../src/issuers/issuer_checks.ts'
import { fillIssuer } from '../../../src/issuers/presets.ts'
import { ISSUERS, IssuerMembers } from '../../../src/issuers/registry.ts'
import { isInRanges, isPublicAddress, isRange } from '../../../src/lib/ip_address.ts'
import { readInput } from '../../../src/lib/read_input.ts'
import { parseRecord, toRecord } from '../../../src/records/records.ts'
import { RESOURCES, ResourceMembers } from '../../../src/resources/registry.ts'
import { isHost } from '../../../src/runtime/host_header.ts'
import { type Fuzzed, fuzzed, pieces, readLater, readOr } from '../fuzzed.ts'

const KEY = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
const TEXTS = [
  '',
  'a',
  'none',
  'client_secret_basic',
  'private_key_jwt',
  'tls_client_auth',
  'federated_jwt',
  'ES256',
  'read write',
  'read.*',
  'https://rs.example',
  'https://keys.example/jwks',
  'https://127.0.0.1/',
  'urn:a',
  'CN=a',
  'a@b.example',
  '10.0.0.1',
  'client_credentials',
  '\u202e',
  '\ud800',
  'x'.repeat(300),
  'x'.repeat(9000),
]
const scalars = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.constantFrom(0, 1, -1, 1.5, 1e21, 300, true, false, null),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const values: fc.Arbitrary<unknown> = fc.oneof(
  scalars,
  fc.array(scalars, { maxLength: 3 }),
  fc.constantFrom<unknown>(
    {},
    { keys: [] },
    { keys: [KEY] },
    { keys: [KEY, { ...KEY, d: 'AA' }] },
    { keys: [1] },
    { a: 1 },
    { iss: 'x' },
  ),
  fc.constantFrom<unknown>(
    [{ id: 'r', issuer: 'https://i.example', claims: { sub: 'a' } }],
    [{ id: 'r' }],
    [{ id: 'r', issuer: 'x', claims: { sub: { glob: '*' } } }],
  ),
)

const CLIENT = [
  'client_name',
  'client_uri',
  'contacts',
  'grant_types',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks',
  'jwks_uri',
  'scope',
  'default_scope',
  'resources',
  'access_token_lifetime',
  'token_reuse_seconds',
  'claims',
  'dpop_bound_access_tokens',
  'introspection',
  'federated_credentials',
  'disabled',
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
  'response_types',
  'client_id',
  'client_secrets',
  '__proto__',
  'constructor',
]
const submitted = (
  names: readonly string[],
  given: fc.Arbitrary<unknown> = values,
): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), given), { maxLength: 5 })
    .map((all) => JSON.parse(JSON.stringify(Object.fromEntries(all))) as Record<string, unknown>)

const offer = {
  grantTypes: ['client_credentials'],
  authMethods: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'federated_jwt'],
  signingAlgs: ['ES256', 'Ed25519'],
}

const metadata = fuzzed('client_metadata', submitted(CLIENT), async (given) => {
  const read = await readLater(() => readMetadata(given, offer), OAuthError)
  if (read === undefined) return
  // What was accepted is accepted again, is readable as it is stored, and holds nothing that was not submitted.
  const again = await readMetadata(JSON.parse(JSON.stringify(read.value)), offer)
  assert.deepEqual(again, read.value)
  const client = { ...read.value, client_id: 'c' }
  assert.deepEqual(
    JSON.parse(JSON.stringify(parseRecord(clientRecord(client), 'c', CLIENTS))),
    JSON.parse(JSON.stringify(client)),
  )
  const { grant_types: _defaulted, ...own } = read.value
  for (const [name, value] of Object.entries(own))
    if (value !== undefined && name !== 'jwks') assert.deepEqual(value, given[name], name)
  assert.ok(read.value.jwks_uri === undefined || new URL(read.value.jwks_uri).protocol === 'https:')
})

const refuse = (problem: string): OAuthError => invalidRequest('resource_record_malformed', problem)
const identifiers = fc.oneof(
  values,
  pieces(
    [
      'https://',
      'a.example',
      '/',
      '.',
      '..',
      '%2e',
      '?',
      '#',
      ' ',
      'urn:',
      'A',
      ':',
      '\\',
      '"',
      'é',
      '@',
      '[::1]',
      'spiffe://',
    ],
    6,
  ),
)

const resource = fuzzed(
  'resource_metadata',
  submitted(
    ['resource', 'resource', 'scope', 'access_token_lifetime', 'signing_alg', 'default', '__proto__'],
    identifiers,
  ),
  (given) => {
    const read = readOr(() => readInput(ResourceMembers, given, refuse), OAuthError)
    if (read === undefined) return
    const { resource: id } = read.value
    assert.equal(decodeURIComponent(encodeURIComponent(id)), id)
    assert.ok(URL.canParse(id) && new URL(id).hash === '' && !/[^\x21-\x7e]/.test(id))
    // No client of HTTP resolves the path to that of another record.
    assert.equal(
      new URL(`https://tokens.example/resources/${encodeURIComponent(id)}`).pathname,
      `/resources/${encodeURIComponent(id)}`,
    )
    assert.deepEqual(parseRecord(toRecord(read.value), id, RESOURCES).resource, id)
  },
)

const ISSUER = [
  'issuer',
  'issuer',
  'preset',
  'jwks',
  'jwks_uri',
  'discovery_uri',
  'spiffe_bundle_endpoint',
  'audiences',
  'signing_algs',
  'max_age',
  'single_use',
  'required_claims',
  'token_types',
  'uses',
  'disabled',
]
const issuerValues = fc.oneof(
  identifiers,
  fc.constantFrom<unknown>(
    'github',
    'spiffe',
    'https://token.actions.githubusercontent.com',
    'spiffe://example',
    ['ES256'],
    ['sub'],
    ['client_authentication'],
    ['at+jwt'],
    3600,
  ),
)

const issuer = fuzzed('issuer_metadata', submitted(ISSUER, issuerValues), async (given) => {
  const read = readOr(() => readInput(IssuerMembers, given, refuse), OAuthError)
  if (read === undefined) return
  const filled = fillIssuer(read.value)
  const problem = await problemOfIssuer(filled, 'https://tokens.example')
  if (problem !== undefined) return
  assert.ok(filled.issuer !== 'https://tokens.example')
  assert.deepEqual(parseRecord(toRecord(filled), filled.issuer, ISSUERS), JSON.parse(JSON.stringify(filled)))
  for (const url of [filled.jwks_uri, filled.discovery_uri, filled.spiffe_bundle_endpoint])
    assert.ok(url === undefined || url.startsWith('https:') || new URL(url).protocol === 'https:')
  assert.ok(v.is(IssuerMembers, JSON.parse(JSON.stringify(filled))))
})

const ADDRESS = [
  '1',
  '10',
  '127',
  '255',
  '256',
  '01',
  '0x7f',
  '.',
  '.',
  ':',
  '::',
  'ffff',
  '::ffff:',
  '10.0.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '/',
  '/8',
  '/24',
  '/128',
  '%eth0',
  '[',
  ']',
  'g',
  ' ',
]

const address = fuzzed('address', pieces(ADDRESS, 6), (text) => {
  if (isRange(text)) assert.match(text, /^[\da-f:.]+(\/\d+)?$/i)
  const isPublic = isPublicAddress(text)
  const [octets] = [/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)]
  if (octets !== undefined && isPublic) {
    const [a = 0, b = 0] = octets
    assert.ok(octets.every((each) => each < 256))
    assert.ok(
      a !== 0 &&
        a !== 10 &&
        a !== 127 &&
        a < 224 &&
        !(a === 169 && b === 254) &&
        !(a === 172 && b >= 16 && b < 32) &&
        !(a === 192 && b === 168) &&
        !(a === 100 && b >= 64 && b < 128),
    )
  }
  if (octets !== undefined && isRange(text)) assert.ok(isInRanges(text, [text]))
})

const URLS = [
  'https://',
  'http:',
  'a.example',
  'localhost',
  '127.0.0.1',
  '[::1]',
  '0x7f.1',
  '2130706433',
  '.',
  ':',
  '@',
  '/',
  '\\',
  '#',
  '?',
  '%',
  '。',
  'é',
  '.internal',
  ':443',
  '\t',
]

const url = fuzzed('public_url', pieces(URLS, 6), (text) => {
  if (!isPublicUrl(text)) return
  const { protocol, hostname, username, password } = new URL(text)
  assert.deepEqual([protocol, username, password], ['https:', '', ''])
  assert.ok(
    !/^(127|10|0)\.[\d.]+$|^\[(::1?|f[cd])|(^|\.)(localhost|local|internal)\.?$/.test(hostname) &&
      hostname.includes(hostname.startsWith('[') ? ':' : '.'),
  )
})

const hosts = pieces(
  ['a', 'A.b', '.', ':', ':80', '[', ']', '::1', '/', '\\', '?', '#', '@', ' ', ',', '%41', '%', '_', 'é', '!'],
  5,
)

const host = fuzzed('host', hosts, (text) => {
  if (!isHost(text)) return
  const read = readOr(() => new URL(`http://${text}/path?query`), TypeError)?.value
  // What the URL parser reads, it reads as a host and nothing else.
  if (read !== undefined)
    assert.deepEqual([read.pathname, read.search, read.hash, read.username], ['/path', '?query', '', ''])
})

export const RECORD_READERS: readonly Fuzzed[] = [metadata, resource, issuer, address, url, host]
