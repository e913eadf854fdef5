import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { issuerKeys } from '../../src/issuers/keys.ts'
import { keyOf } from '../../src/records/records.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW, type WorldOptions } from '../support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
const privateJwk = await exportJWK(privateKey)
const jwk = { ...(await exportJWK(publicKey)), kid: 'one' }
const bundle = {
  keys: [
    { ...jwk, use: 'jwt-svid' },
    { kty: 'EC', use: 'x509-svid', x5c: ['x'] },
  ],
}

const GITHUB = 'https://token.actions.githubusercontent.com'
const PLAIN = 'https://issuer.example'
const documents: Readonly<Record<string, object>> = {
  [`${PLAIN}/.well-known/openid-configuration`]: { issuer: PLAIN, jwks_uri: `${PLAIN}/jwks` },
  [`${PLAIN}/jwks`]: { keys: [jwk] },
  'https://sts.windows.net/t/.well-known/openid-configuration': {
    issuer: 'https://sts.windows.net/t/',
    jwks_uri: `${PLAIN}/jwks`,
  },
  'https://gitlab.com/.well-known/openid-configuration': { issuer: 'https://gitlab.com', jwks_uri: `${PLAIN}/jwks` },
  'https://lying.example/.well-known/openid-configuration': { issuer: `${PLAIN}/`, jwks_uri: `${PLAIN}/jwks` },
  'https://inward.example/.well-known/openid-configuration': {
    issuer: 'https://inward.example',
    jwks_uri: 'https://10.0.0.1/jwks',
  },
  'https://elsewhere.example/metadata': { issuer: 'https://apart.example', jwks_uri: `${PLAIN}/jwks` },
  'https://empty.example/jwks': { keys: [] },
  'https://bundle.example/': { ...bundle, spiffe_refresh_hint: 600 },
  'https://x509-only.example/': { keys: [bundle.keys[1]] },
}

async function createManaged(features: WorldOptions = {}) {
  const fetched: string[] = []
  const fetch = async (url: string) => {
    fetched.push(url)
    return url in documents ? Response.json(documents[url]) : new Response('', { status: 404 })
  }
  const operatorTokenHash = await hashToken(OPERATOR)
  const { app, events, registry } = await createWorld({
    operatorTokenHash,
    cacheSeconds: 0,
    issuerKeys: issuerKeys({ fetch, now: () => NOW }),
    ...features,
  })
  const send = async (method: string, issuer?: string, body?: object, headers = {}) => {
    const authorized = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json', ...headers }
    const init = { method, headers: authorized, ...(body && { body: JSON.stringify(body) }) }
    const path = issuer === undefined ? '' : `/${encodeURIComponent(issuer)}`
    const response = await app.request(`${ISSUER}/issuers${path}`, init)
    const text = await response.text()
    const event = events.at(-1)
    return {
      status: response.status,
      answer: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      reason: event?.event === 'request_refused' ? event.reason : undefined,
      etag: response.headers.get('ETag') ?? '',
    }
  }
  return { send, events, registry, fetched }
}

const filled = {
  signing_algs: ['RS256', 'ES256'],
  max_age: 3600,
  single_use: false,
  required_claims: ['sub'],
  uses: ['client_authentication'],
}

describe('/issuers', () => {
  test('creates, reads, lists, replaces and deletes an issuer', async () => {
    const { send, events, fetched } = await createManaged()
    const made = await send('PUT', PLAIN, {})
    assert.deepEqual([made.status, made.answer], [201, { ...filled, issuer: PLAIN }])
    assert.deepEqual(events.at(-1), { event: 'issuer_changed', change: 'created', issuer: PLAIN })
    assert.deepEqual(fetched, [`${PLAIN}/.well-known/openid-configuration`, `${PLAIN}/jwks`])
    assert.deepEqual((await send('GET', PLAIN)).answer, made.answer)
    await send('PUT', 'https://gitlab.com', {})
    const { issuers } = (await send('GET')).answer as { issuers: { issuer: string }[] }
    assert.deepEqual(issuers.map(({ issuer }) => issuer).sort(), ['https://gitlab.com', PLAIN])
    const again = await send('PUT', PLAIN, { max_age: 60, audiences: ['api://x'], token_types: ['x+jwt'] })
    assert.deepEqual([again.status, again.answer['max_age']], [200, 60])
    assert.equal((await send('DELETE', PLAIN)).status, 204)
    assert.deepEqual(events.at(-1), { event: 'issuer_changed', change: 'deleted', issuer: PLAIN })
    assert.deepEqual([(await send('GET', PLAIN)).status, (await send('DELETE', PLAIN)).reason], [404, 'record_unknown'])
  })

  test('what it answers can be submitted again', async () => {
    const { send } = await createManaged()
    const { answer } = await send('PUT', PLAIN, { jwks: { keys: [jwk] }, single_use: true })
    assert.deepEqual((await send('PUT', PLAIN, answer)).answer, answer)
  })

  test('an issuer of a known platform gets its preset, and no other', async () => {
    const { send } = await createManaged()
    const { answer } = await send('PUT', 'https://gitlab.com', {})
    assert.deepEqual([answer['preset'], answer['required_claims']], ['gitlab', ['project_id', 'namespace_id']])
    const { status, answer: refusal } = await send('PUT', 'https://gitlab.com', { preset: 'kubernetes' })
    assert.equal(status, 400)
    assert.match(String(refusal['error_description']), /^preset: must be gitlab for this issuer/)
  })

  test('a final slash belongs to the identifier', async () => {
    const { send } = await createManaged()
    assert.equal((await send('PUT', 'https://sts.windows.net/t/', { preset: 'azure' })).status, 201)
    assert.equal((await send('GET', 'https://sts.windows.net/t')).status, 404)
    assert.equal((await send('GET', 'https://sts.windows.net/t/')).status, 200)
  })

  const accepted: readonly [issuer: string, body: object][] = [
    ['https://apart.example', { discovery_uri: 'https://elsewhere.example/metadata' }],
    ['https://a.example/x', { jwks_uri: `${PLAIN}/jwks`, signing_algs: ['EdDSA'] }],
    ['https://kubernetes.default.svc.cluster.local', { jwks: { keys: [jwk] }, preset: 'kubernetes' }],
    ['https://10.0.0.1:6443', { jwks: { keys: [jwk] } }],
    ['spiffe://example.org', { spiffe_bundle_endpoint: 'https://bundle.example/' }],
    ['spiffe://example.org', { jwks: bundle, preset: 'spiffe' }],
    ['https://oidc.prod-aks.azure.com/a/b/', { jwks: { keys: [jwk] } }],
    ['https://unreachable.example', { disabled: true }],
    [GITHUB, { jwks: { keys: [jwk] }, required_claims: ['repository_owner_id'] }],
    [PLAIN, { required_claims: ['email'] }],
    [PLAIN, { preset: 'kubernetes', required_claims: ['/kubernetes.io/serviceaccount/uid'] }],
  ]
  for (const [issuer, body] of accepted) {
    test(`accepts ${issuer} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const { send } = await createManaged()
      assert.equal((await send('PUT', issuer, body)).status, 201)
    })
  }

  const refused: readonly (readonly [issuer: string, body: object, problem: RegExp])[] = [
    [ISSUER, { jwks: { keys: [jwk] } }, /^issuer: must not be this server/],
    [`${ISSUER}/`, { jwks: { keys: [jwk] } }, /^issuer: must not be this server/],
    ...[':443', '.', '.:443/', '/below', '/below/it/'].map(
      (more) => [`${ISSUER}${more}`, { jwks: { keys: [jwk] } }, /^issuer: must not be this server/] as const,
    ),
    [PLAIN, { issuer: `${PLAIN}/` }, /^issuer: must be the one in the URL/],
    [PLAIN, { issuer: 1 }, /^issuer: must be the one in the URL/],
    ['http://issuer.example', {}, /^issuer: must be an https URL/],
    ['https://Issuer.example', {}, /^issuer: must be an https URL/],
    ['https://issuer.example?a=b', {}, /^issuer: must be an https URL/],
    ['https://issuer.example/#a', {}, /^issuer: must be an https URL/],
    ['https://user@issuer.example', {}, /^issuer: must be an https URL/],
    ['https://issuer.example//a', {}, /^issuer: must be an https URL/],
    ['https://issuer.example/a/../b', {}, /^issuer: must not have/],
    ['https://issuer.example/%2e%2E/b', {}, /^issuer: must not have/],
    ['https://issuer.exämple', {}, /^issuer: must be an https URL/],
    ['issuer.example', {}, /^issuer: must be an https URL/],
    [`https://issuer.example/${'a'.repeat(240)}`, {}, /^issuer: must have at most 256/],
    ['spiffe://example.org/a', {}, /^issuer: must be an https URL/],
    ['spiffe://example.org', {}, /^spiffe_bundle_endpoint: is needed/],
    ['spiffe://example.org', { jwks_uri: `${PLAIN}/jwks` }, /^spiffe_bundle_endpoint: is needed/],
    ['spiffe://example.org', { jwks: { keys: [jwk] } }, /^jwks: has no key with the use jwt-svid/],
    [
      'spiffe://example.org',
      { spiffe_bundle_endpoint: 'https://x509-only.example/' },
      /cannot be fetched: .*there are no keys/,
    ],
    [PLAIN, { preset: 'spiffe' }, /^preset: spiffe is for/],
    [PLAIN, { preset: 'magic' }, /^preset: must be one of: github, gitlab/],
    [PLAIN, { spiffe_bundle_endpoint: 'https://bundle.example/' }, /^spiffe_bundle_endpoint: is for issuers/],
    [PLAIN, { jwks: { keys: [jwk] }, jwks_uri: `${PLAIN}/jwks` }, /^jwks_uri: must not be combined with jwks/],
    [PLAIN, { jwks_uri: 'https://10.0.0.1/jwks' }, /^jwks_uri: must be an https URL of a public host/],
    [PLAIN, { discovery_uri: 'http://issuer.example/' }, /^discovery_uri: must be an https URL/],
    ['https://kubernetes.default.svc.cluster.local', {}, /^jwks: is needed/],
    [PLAIN, { jwks: { keys: [] } }, /^jwks: has no key/],
    [PLAIN, { jwks: { keys: [privateJwk] } }, /^jwks: holds a private/],
    [PLAIN, { jwks: { keys: [{ ...jwk, x: 'AA' }] } }, /^jwks: holds a key/],
    [PLAIN, { signing_algs: [] }, /^signing_algs: must have at least 1/],
    [PLAIN, { signing_algs: ['HS256'] }, /^signing_algs.0: must be one of/],
    [PLAIN, { signing_algs: ['none'] }, /^signing_algs.0: must be one of/],
    [PLAIN, { max_age: 0 }, /^max_age: must be at least 1/],
    [PLAIN, { max_age: 86_401 }, /^max_age: must be at most 86400/],
    [PLAIN, { max_age: '60' }, /^max_age: must be a number/],
    [PLAIN, { single_use: 'yes' }, /^single_use: must be true or false/],
    [PLAIN, { required_claims: [] }, /^required_claims: must have at least 1/],
    [PLAIN, { required_claims: ['/sub'] }, /^required_claims.0: must be written without/],
    ...['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', '/aud/a'].map(
      (claim) =>
        [PLAIN, { required_claims: ['sub', claim] }, /^required_claims.1: must be a claim that tells/] as const,
    ),
    [
      GITHUB,
      { required_claims: ['ref'] },
      /^required_claims: must be among those of the preset github: repository_id, /,
    ],
    [GITHUB, { required_claims: ['repository_id', 'sub'] }, /^required_claims: must be among/],
    [PLAIN, { preset: 'github', required_claims: ['ref'] }, /^required_claims: must be among/],
    ['https://accounts.google.com', { required_claims: ['email'] }, /^required_claims: must be among .*google: sub/],
    ['spiffe://example.org', { required_claims: ['ref'], jwks: bundle }, /^required_claims: must be among/],
    [PLAIN, { token_types: ['AT+JWT'] }, /^token_types.0: must be in lower case/],
    [PLAIN, { uses: [] }, /^uses: must have at least 1/],
    [PLAIN, { uses: ['everything'] }, /^uses.0: must be one of/],
    [PLAIN, { audiences: [''] }, /^audiences.0: must be 1 to 512/],
    ['https://unreachable.example', {}, /^The keys of the issuer cannot be fetched: .*status 404/],
    ['https://lying.example', {}, /cannot be fetched: .*another issuer/],
    ['https://inward.example', {}, /cannot be fetched: .*public host/],
    ['https://empty.example', { jwks_uri: 'https://empty.example/jwks' }, /cannot be fetched: .*no keys/],
  ]
  for (const [issuer, body, problem] of refused) {
    test(`refuses ${issuer.slice(0, 50)} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const { send, registry } = await createManaged()
      const { status, answer, reason } = await send('PUT', issuer, body)
      assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'issuer_record_malformed'])
      assert.match(String(answer['error_description']), problem)
      assert.deepEqual((await registry.list('issuer:', { limit: 1 })).keys, [])
    })
  }

  const odd: readonly [body: string, members: object, text: string][] = [
    ['root:secret-line', { jwks_uri: PLAIN }, 'Error: the document is not JSON'],
    ['{"keys":"SECRETVALUE"}', { jwks_uri: PLAIN }, 'Error: the document is not a JWK Set of at most 20 keys'],
    ['{"keys":["SECRETVALUE"]}', { jwks_uri: PLAIN }, 'Error: the document is not a JWK Set of at most 20 keys'],
    ['"SECRETVALUE"', {}, 'Error: the document is not metadata with issuer and jwks_uri'],
    ['{"issuer":1,"jwks_uri":"SECRETVALUE"}', {}, 'Error: the document is not metadata with issuer and jwks_uri'],
  ]
  for (const [body, members, text] of odd) {
    test(`quotes nothing of what was fetched: ${body} ${JSON.stringify(members)}`, async () => {
      const keys = issuerKeys({ fetch: async () => new Response(body), now: () => NOW })
      const { send } = await createManaged({ issuerKeys: keys })
      const { status, answer } = await send('PUT', PLAIN, members)
      assert.equal(status, 400)
      assert.equal(answer['error_description'], `The keys of the issuer cannot be fetched: ${text}.`)
    })
  }

  for (const body of ['{"keys":"SECRETVALUE"}', '{"keys":[],"spiffe_refresh_hint":"SECRETVALUE"}']) {
    test(`quotes nothing of a bundle: ${body}`, async () => {
      const keys = issuerKeys({ fetch: async () => new Response(body), now: () => NOW })
      const { send } = await createManaged({ issuerKeys: keys })
      const { answer } = await send('PUT', 'spiffe://example.org', { spiffe_bundle_endpoint: PLAIN })
      assert.match(String(answer['error_description']), /: Error: the document is not a SPIFFE bundle\.$/)
    })
  }

  test('If-Match', async () => {
    const { send } = await createManaged()
    const { etag } = await send('PUT', PLAIN, {})
    assert.equal((await send('PUT', PLAIN, { max_age: 60 }, { 'If-Match': etag })).status, 200)
    assert.equal((await send('PUT', PLAIN, {}, { 'If-Match': etag })).status, 412)
    assert.equal((await send('DELETE', PLAIN, undefined, { 'If-Match': etag })).status, 412)
    assert.equal((await send('PUT', PLAIN, {}, { 'If-None-Match': '*' })).status, 412)
  })

  test('there is room for 1,000', async () => {
    const { registry } = memoryStores(() => NOW)
    for (let index = 0; index < 999; index++) await registry.put(keyOf({ prefix: 'issuer' }, `spiffe://${index}`), '{')
    const { send } = await createManaged({ registry })
    assert.equal((await send('PUT', PLAIN, {})).status, 201)
    const { status, answer } = await send('PUT', 'https://gitlab.com', {})
    assert.equal(status, 400)
    assert.match(String(answer['error_description']), /^issuer: there are already 1000/)
    assert.equal((await send('PUT', PLAIN, {})).status, 200)
  })

  test('needs the operator', async () => {
    const { send } = await createManaged()
    for (const method of ['GET', 'PUT', 'DELETE']) {
      assert.equal(
        (await send(method, PLAIN, method === 'PUT' ? {} : undefined, { Authorization: 'Bearer x' })).status,
        401,
      )
    }
    assert.equal((await send('GET', undefined, undefined, { Authorization: '' })).reason, 'token_wrong')
  })

  test('of an unreadable record, the list has the identifier; it can be replaced', async () => {
    const { registry } = memoryStores(() => NOW)
    await registry.put(keyOf({ prefix: 'issuer' }, PLAIN), '{')
    const { send } = await createManaged({ registry })
    assert.deepEqual((await send('GET')).answer['issuers'], [{ issuer: PLAIN, malformed: true }])
    assert.equal((await send('GET', PLAIN)).status, 503)
    assert.equal((await send('PUT', PLAIN, {})).status, 200)
  })

  test('is not there without an operator token', async () => {
    const { app } = await createWorld()
    for (const path of ['/issuers', '/issuers/a']) assert.equal((await app.request(ISSUER + path)).status, 404)
  })
})
