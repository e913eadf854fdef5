import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { AssertionForm } from '../../src/issuers/checks.ts'
import { explainToken } from '../../src/issuers/explain.ts'
import { fillIssuer } from '../../src/issuers/presets.ts'
import { PLATFORMS, type Platform } from '../conformance/platform_tokens.ts'
import {
  createFederated,
  credential,
  federatedClient,
  JWT_BEARER,
  JWT_SPIFFE,
  makePair,
  signToken,
} from '../support/federation.ts'
import { ISSUER, NOW } from '../support/world.ts'

const pair = await makePair('RS256', 'one')
const [GITHUB] = PLATFORMS as readonly [Platform]
const SPIFFE = 'spiffe://example.org'
const issuers = [GITHUB.issuer, { issuer: SPIFFE, spiffe_bundle_endpoint: 'https://bundle.example/' }].map(fillIssuer)
const credentials = [
  credential(GITHUB.issuer.issuer, { repository: 'octo-org/octo-repo' }, { id: 'by name' }),
  credential(
    GITHUB.issuer.issuer,
    { repository_id: '1', ref: { glob: 'refs/tags/*' } },
    { id: 'other', label: 'Tags' },
  ),
  credential(GITHUB.issuer.issuer, GITHUB.rules, { id: 'rule' }),
  credential(SPIFFE, { sub: `${SPIFFE}/a` }, { id: 'svid' }),
]

const sign = (claims: object = {}, header: object = {}) =>
  signToken(
    { alg: 'RS256', kid: 'one', typ: 'JWT', ...header },
    { iss: GITHUB.issuer.issuer, aud: ISSUER, ...GITHUB.claims, jti: crypto.randomUUID(), ...claims },
    pair.privateKey,
  )

const explain = (jws: string, form: AssertionForm = 'jwt') =>
  explainToken(jws, { credentials, issuers, ownIssuer: ISSUER, form, use: 'client_authentication', now: NOW })

describe('explainToken', () => {
  test('names the credential that matches', async () => {
    const { reason, credential, issuer } = explain(await sign())
    assert.deepEqual([reason, credential, issuer], [undefined, 'rule', GITHUB.issuer.issuer])
  })

  test('says of each credential of the issuer which rules do not hold, and what it lacks', async () => {
    const { reason, credential, comparisons } = explain(await sign({ environment: 'staging', ref: undefined }))
    assert.deepEqual([reason, credential], ['federation_no_rule', undefined])
    const [byName, other, rule, ...more] = comparisons
    assert.deepEqual(more, [])
    assert.deepEqual(byName?.mismatches, [])
    assert.match(byName?.problem ?? '', /^must pin at least one of repository_id/)
    assert.deepEqual(other, {
      id: 'other',
      label: 'Tags',
      mismatches: [
        { claim: 'repository_id', expected: '1', found: '74' },
        { claim: 'ref', expected: { glob: 'refs/tags/*' }, found: undefined },
      ],
      problem: undefined,
    })
    assert.deepEqual(rule?.mismatches, [
      { claim: 'environment', expected: 'production', found: 'staging' },
      { claim: 'ref', expected: { glob: 'refs/heads/*' }, found: undefined },
    ])
  })

  test('names the issuer that is not trusted', async () => {
    const { reason, issuer, comparisons } = explain(await sign({ iss: 'https://evil.example' }))
    assert.deepEqual([reason, issuer, comparisons], ['federation_issuer_unknown', 'https://evil.example', []])
  })

  test('reads a JWT-SVID', async () => {
    const svid = await sign({ iss: undefined, sub: `${SPIFFE}/a` })
    assert.deepEqual(explain(svid, 'jwt-spiffe').credential, 'svid')
    assert.equal(explain(svid).reason, 'federation_issuer_unknown')
    assert.equal(explain(await sign(), 'jwt-spiffe').reason, 'assertion_sub_wrong')
  })

  test('no JWT', () => assert.equal(explain('a.b.c').reason, 'assertion_malformed'))

  test('gives the reason that the server has, for whatever can be checked offline', async () => {
    const world = await createFederated()
    for (const issuer of issuers) await world.trust(issuer)
    world.publish(GITHUB.issuer.issuer, [pair.publicJwk])
    await world.put(federatedClient('c', credentials))
    await world.put(federatedClient('s', credentials, { token_endpoint_auth_method: 'spiffe_jwt' }))
    const tokens = await Promise.all(
      [
        sign(),
        ...[
          { exp: NOW - 30 },
          { exp: 'x' },
          { iat: NOW - 3601 },
          { nbf: NOW + 31 },
          { aud: 'x' },
          { aud: [ISSUER, 'x'] },
        ],
        ...[
          { sub: '' },
          { jti: '' },
          { iss: 1 },
          { iss: `${GITHUB.issuer.issuer}/` },
          { event_name: 'pull_request_target' },
        ],
        ...[{ sub: `${SPIFFE}/b` }, { sub: 'spiffe://evil/a' }],
      ].map((made) => (made instanceof Promise ? made : sign(made))),
    )
    const headers = await Promise.all(
      [{ typ: 'at+jwt' }, { kid: 1 }, { b64: true, crit: ['b64'] }].map((header) => sign({}, header)),
    )
    for (const jws of [...tokens, ...headers]) {
      for (const [client_id, client_assertion_type, form] of [
        ['c', JWT_BEARER, 'jwt'],
        ['s', JWT_SPIFFE, 'jwt-spiffe'],
      ] as const) {
        const { reason } = await world.send(jws, { client_id, client_assertion_type })
        assert.equal(explain(jws, form).reason, reason)
      }
    }
  })
})
