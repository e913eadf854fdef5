import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { MAX_JSON_LEVELS } from '../../src/lib/json.ts'
import type { Reason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createManaged, OPERATOR } from '../support/managed.ts'
import { ISSUER, NOW } from '../support/world.ts'

const BCRYPT_FOOBAR = '$2b$10$U1iBZxDfVh5rEHwxhvXTCOGfkAmXAS5mPq/hcaHaPjzl0dvab7j1K'

/** Returns a body with claims that have so many levels in all. */
const withLevels = (levels: number) => `{"claims":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`

const world = createManaged()
const keyed = { token_endpoint_auth_method: 'private_key_jwt' }
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const [publicJwk, privateJwk] = await Promise.all([exportJWK(publicKey), exportJWK(privateKey)])

describe('POST /register', () => {
  test('creates a client with a secret, shown once, and a registration access token', async () => {
    const { send, grant, events, registry } = await world
    const { status, answer, headers } = await send('POST', '/register', {
      body: { client_name: 'Reports', unknown: 1 },
    })
    assert.equal(status, 201)
    assert.equal(headers.get('Cache-Control'), 'no-store')
    const { client_id, client_secret, registration_access_token, client_secrets } = answer
    assert.deepEqual(events.at(-1), { event: 'client_changed', change: 'created', client_id, by: 'operator' })
    assert.equal(answer['client_secret_expires_at'], 0)
    assert.equal(answer['client_id_issued_at'], NOW)
    assert.equal(answer['client_name'], 'Reports')
    assert.equal('unknown' in answer, false)
    assert.deepEqual(answer['grant_types'], ['client_credentials'])
    assert.equal(answer['registration_client_uri'], `${ISSUER}/register/${client_id}`)
    assert.equal(await grant(client_id, client_secret), 200)
    const stored = (await registry.get(`client:${client_id}`)) ?? ''
    for (const secret of [client_secret, registration_access_token]) assert.ok(!stored.includes(secret))
    assert.ok(!JSON.stringify([client_secrets, events]).includes('$sha256$'))
    const again = await send('GET', `/register/${client_id}`, { token: registration_access_token })
    assert.equal('client_secret' in again.answer, false)
    assert.equal(again.answer['registration_access_token'], registration_access_token)
  })

  test('the server chooses the id and the secret, whatever the body says', async () => {
    const { send } = await world
    const { answer } = await send('POST', '/register', {
      body: { client_id: 'test-client', client_secret: 'chosen', client_secrets: [{ id: '1', hash: BCRYPT_FOOBAR }] },
    })
    assert.notEqual(answer.client_id, 'test-client')
    assert.match(answer.client_secret, /^emint_/)
  })

  test('a client with keys gets no secret', async () => {
    const { publicKey } = await generateKeyPair('ES256')
    const { status, answer } = await (await world).send('POST', '/register', {
      body: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } },
    })
    assert.equal(status, 201)
    assert.deepEqual([answer.client_secret, answer['client_secrets']], [undefined, []])
  })

  const refused: readonly [name: string, body: unknown, member: string, reason?: Reason][] = [
    ['an unknown grant', { grant_types: ['this is clearly wrong'] }, 'grant_types', 'metadata_inconsistent'],
    ['a grant that is no list', { grant_types: 'client_credentials' }, 'grant_types'],
    ['a response type', { response_types: ['code'] }, 'response_types'],
    [
      'an unknown method',
      { token_endpoint_auth_method: 'magic' },
      'token_endpoint_auth_method',
      'metadata_inconsistent',
    ],
    [
      'client_secret_jwt',
      { token_endpoint_auth_method: 'client_secret_jwt' },
      'token_endpoint_auth_method: client_secret_jwt is not offered',
      'metadata_inconsistent',
    ],
    ['keys missing', keyed, 'jwks', 'metadata_inconsistent'],
    [
      'keys and their URL',
      { ...keyed, jwks: { keys: [publicJwk] }, jwks_uri: 'https://keys.example/' },
      'jwks',
      'metadata_inconsistent',
    ],
    ['a private key', { ...keyed, jwks: { keys: [privateJwk] } }, 'jwks', 'metadata_inconsistent'],
    ['a symmetric key', { ...keyed, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'jwks', 'metadata_inconsistent'],
    ['a broken key', { ...keyed, jwks: { keys: [{ ...publicJwk, x: 'AAAA' }] } }, 'jwks', 'metadata_inconsistent'],
    [
      'a weak RSA key',
      { ...keyed, jwks: { keys: [{ kty: 'RSA', e: 'AQAB', n: `${'x'.repeat(170)}w` }] } },
      'jwks',
      'metadata_inconsistent',
    ],
    ['no key', { ...keyed, jwks: { keys: [] } }, 'jwks.keys'],
    ['21 keys', { ...keyed, jwks: { keys: Array.from({ length: 21 }, () => publicJwk) } }, 'jwks.keys'],
    ['a jwks_uri without TLS', { ...keyed, jwks_uri: 'http://keys.example/' }, 'jwks_uri'],
    ...[
      '127.0.0.1',
      '[::1]',
      '169.254.169.254',
      '10.0.0.1',
      '[::ffff:10.0.0.1]',
      '[::127.0.0.1]',
      '168.63.129.16',
      '0x7f.1',
      '2130706433',
      'localhost',
      'a.localhost',
      'metadata.google.internal',
      'printer.local',
      'intranet',
      'localhost.',
    ].map((host): [string, unknown, string] => [
      `a jwks_uri at ${host}`,
      { ...keyed, jwks_uri: `https://${host}/jwks` },
      'jwks_uri',
    ]),
    ['a jwks_uri with a user', { ...keyed, jwks_uri: 'https://user:pass@keys.example/' }, 'jwks_uri'],
    [
      'tls_client_auth without a name',
      { token_endpoint_auth_method: 'tls_client_auth' },
      'token_endpoint_auth_method',
      'metadata_inconsistent',
    ],
    [
      'a subject that is no name',
      { tls_client_auth_subject_dn: 'nobody' },
      'tls_client_auth_subject_dn',
      'metadata_inconsistent',
    ],
    [
      'self-signed without a certificate',
      { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [publicJwk] } },
      'jwks',
      'metadata_inconsistent',
    ],
    [
      'self-signed with a private key',
      { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [privateJwk] } },
      'jwks',
      'metadata_inconsistent',
    ],
    ['a scope with a quote', { scope: 'read "x"' }, 'scope'],
    [
      'a default scope beyond the scope',
      { scope: 'read', default_scope: 'write' },
      'default_scope',
      'metadata_inconsistent',
    ],
    [
      'a default scope with a wildcard',
      { scope: 'users.*', default_scope: 'users.*' },
      'default_scope',
      'metadata_inconsistent',
    ],
    ['a relative resource', { resources: ['api'] }, 'resources.0'],
    ['a resource with dots', { resources: ['https://rs.example/a/../b'] }, 'resources.0'],
    ['a lifetime of nothing', { access_token_lifetime: 0 }, 'access_token_lifetime'],
    ['a lifetime as text', { access_token_lifetime: '60' }, 'access_token_lifetime'],
    ['a lifetime of a year', { access_token_lifetime: 31_536_000 }, 'access_token_lifetime'],
    ['claims of the server', { claims: { sub: 'admin' } }, 'claims'],
    ['too many claims', { claims: { x: 'x'.repeat(5000) } }, 'claims'],
    ['a flag as text', { disabled: 'false' }, 'disabled'],
    ['control characters in the name', { client_name: 'a\u0007b' }, 'client_name'],
    ['a line end in the name', { client_name: 'a\nb' }, 'client_name'],
    ['a bidirectional mark in the name', { client_name: 'a\u202eb' }, 'client_name'],
    ['nothing to be seen in the name', { client_name: 'a\u200bb' }, 'client_name'],
    ['Cyrillic among Latin in the name', { client_name: 'p\u0430ypal' }, 'client_name'],
    ['wide letters in the name', { client_name: '\uff30\uff41ypal' }, 'client_name'],
    ['an empty name', { client_name: '' }, 'client_name'],
    ['a long name', { client_name: 'x'.repeat(201) }, 'client_name'],
    ['a logo that is a script', { logo_uri: 'javascript:alert(1)' }, 'logo_uri'],
    ['contacts that are no list', { contacts: 'a@b.example' }, 'contacts'],
  ]
  for (const [name, body, member, reason = 'metadata_malformed'] of refused) {
    test(`refuses ${name}, and names the member`, async () => {
      const { status, answer, reason: told } = await (await world).send('POST', '/register', { body })
      assert.deepEqual([status, answer['error'], told], [400, 'invalid_client_metadata', reason])
      assert.ok(String(answer['error_description']).startsWith(member), String(answer['error_description']))
    })
  }

  for (const [name, body, reason] of [
    ['null', 'null', 'body_malformed'],
    ['a list', '[]', 'body_malformed'],
    ['no JSON', '{', 'body_malformed'],
    ['a member twice', '{"scope":"a","scope":"b"}', 'body_malformed'],
    ['too much', JSON.stringify({ client_name: 'x'.repeat(50_000) }), 'body_too_large'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const { status, answer, reason: told } = await (await world).send('POST', '/register', { body })
      assert.deepEqual(
        [status, answer['error'], told],
        [reason === 'body_too_large' ? 413 : 400, 'invalid_request', reason],
      )
    })
  }

  test('refuses a form', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const { status, reason } = await (await world).send('POST', '/register', {
      body: 'grant_types=client_credentials',
      headers,
    })
    assert.deepEqual([status, reason], [400, 'content_type_not_json'])
  })

  for (const [type, coding, expected] of [
    ['application/json;charset=utf-16', '', 'charset_unsupported'],
    ['application/json', 'gzip', 'content_encoding_unsupported'],
    ['application/json; charset="UTF-8"', 'identity', undefined],
  ] as const) {
    test(`${type} ${coding}: ${expected ?? 'read'}`, async () => {
      const sent = { 'Content-Type': type, ...(coding !== '' && { 'Content-Encoding': coding }) }
      const { status, reason, headers } = await (await world).send('POST', '/register', { body: {}, headers: sent })
      assert.deepEqual([status, reason], expected === undefined ? [201, undefined] : [415, expected])
      assert.equal(headers.get('Accept-Encoding'), expected === 'content_encoding_unsupported' ? 'identity' : null)
    })
  }

  test('accepts a body of 48 KiB and no more', async () => {
    const { send } = await world
    const sized = (octets: number) => JSON.stringify({ x: 'x'.repeat(octets - '{"x":""}'.length) })
    const { status: most } = await send('POST', '/register', { body: sized(48 * 1024) })
    const { status, reason } = await send('POST', '/register', { body: sized(48 * 1024 + 1) })
    assert.deepEqual([most, status, reason], [201, 413, 'body_too_large'])
  })

  test('accepts names in other scripts', async () => {
    for (const client_name of ['Отчёты', 'レポート API', 'Τιμές', 'Größe 3', '报告', '🚀 rocket']) {
      assert.equal((await (await world).send('POST', '/register', { body: { client_name } })).status, 201, client_name)
    }
  })
})

describe('authorization', () => {
  test('no token, another scheme and a wrong token get the same answer', async () => {
    const { send } = await world
    const { answer } = await send('POST', '/register', { body: {} })
    const another = await send('POST', '/register', { body: {} })
    const paths: readonly [string, string][] = [
      ['POST', '/register'],
      ['GET', '/register'],
      ['GET', `/register/${answer.client_id}`],
      ['PUT', `/register/${answer.client_id}`],
      ['DELETE', `/register/${answer.client_id}`],
      ['GET', '/register/nobody'],
      ['PUT', '/register/nobody'],
      ['POST', `/register/${answer.client_id}/secrets`],
      ['POST', `/register/${answer.client_id}/registration_access_token`],
      ['GET', '/resources'],
      ['PUT', '/resources/urn%3Aa'],
    ]
    for (const [method, path] of paths) {
      const body = ['POST', 'PUT'].includes(method) ? {} : undefined
      const missing = await send(method, path, { token: '', body })
      assert.deepEqual(
        [missing.status, missing.answer['error'], missing.reason],
        [401, 'invalid_token', 'token_missing'],
        path,
      )
      assert.equal(missing.headers.get('WWW-Authenticate'), 'Bearer')
      for (const token of ['wrong', another.answer.registration_access_token, OPERATOR.slice(1), `${OPERATOR}x`]) {
        const wrong = await send(method, path, { token, body })
        assert.deepEqual(
          [wrong.status, wrong.answer['error'], wrong.reason],
          [401, 'invalid_token', 'token_wrong'],
          path,
        )
        assert.equal(wrong.headers.get('WWW-Authenticate'), 'Bearer error="invalid_token"')
      }
      const basic = { Authorization: `Basic ${btoa(`operator:${OPERATOR}`)}` }
      assert.equal((await send(method, path, { token: '', body, headers: basic })).status, 401)
    }
  })

  test('a client can change its name and its keys, but not its rights', async () => {
    const { send, events } = await world
    const { answer } = await send('POST', '/register', { body: { scope: 'read', client_name: 'old' } })
    const token = answer.registration_access_token
    const path = `/register/${answer.client_id}`
    for (const [member, value] of Object.entries({
      scope: 'read admin',
      default_scope: 'admin',
      resources: ['https://rs.example'],
      grant_types: [],
      access_token_lifetime: 2_592_000,
      claims: { roles: ['admin'] },
      introspection: true,
      disabled: false,
      dpop_bound_access_tokens: false,
      tls_client_certificate_bound_access_tokens: false,
      client_secrets: [{ id: '1', hash: BCRYPT_FOOBAR }],
    })) {
      const { status, answer: refusal, reason } = await send('PUT', path, { token, body: { [member]: value } })
      assert.deepEqual(
        [status, refusal['error'], reason],
        [400, 'invalid_client_metadata', 'metadata_not_yours'],
        member,
      )
      assert.ok(String(refusal['error_description']).startsWith(`${member}:`))
    }
    const { answer: whole } = await send('GET', path, { token })
    const changed = await send('PUT', path, { token, body: { ...whole, client_name: 'new' } })
    assert.equal(changed.status, 200)
    assert.deepEqual(events.at(-1), {
      event: 'client_changed',
      change: 'replaced',
      client_id: answer.client_id,
      by: 'client',
    })
    const { answer: now } = await send('GET', path, { token })
    assert.deepEqual([now['client_name'], now['scope']], ['new', 'read'])
    assert.deepEqual(now['client_secrets'], whole['client_secrets'])
    assert.equal((await send('PUT', path, { token, body: {} })).answer['scope'], 'read')
  })

  test('a client may send back a claim with its members in another order, and no other claim, however deep', async () => {
    const { send } = await world
    const { answer } = await send('POST', '/register', { body: { claims: { a: { b: 1, c: [2] } } } })
    const [path, token] = [`/register/${answer.client_id}`, answer.registration_access_token]
    const same = await send('PUT', path, { token, body: '{"claims":{"a":{"c":[2],"b":1}}}' })
    assert.deepEqual([same.status, same.answer['claims']], [200, { a: { b: 1, c: [2] } }])
    for (const [levels, expected] of [
      [MAX_JSON_LEVELS, 'metadata_not_yours'],
      [20_000, 'body_malformed'],
    ] as const) {
      const { status, reason } = await send('PUT', path, { token, body: withLevels(levels) })
      assert.deepEqual([status, reason], [400, expected])
    }
  })

  test('a client whose record has no grant_types does not get any by changing its name', async () => {
    const { send, grant, registry } = await world
    const { answer } = await send('POST', '/register', { body: {} })
    const { client_id, client_secret, registration_access_token: token } = answer
    const { grant_types: _none, ...record } = JSON.parse((await registry.get(`client:${client_id}`)) ?? '')
    await registry.put(`client:${client_id}`, JSON.stringify(record))
    const { status } = await send('PUT', `/register/${client_id}`, { token, body: { client_name: 'new' } })
    const stored = JSON.parse((await registry.get(`client:${client_id}`)) ?? '')
    assert.deepEqual([status, stored.client_name, stored.grant_types], [200, 'new', undefined])
    assert.equal(await grant(client_id, client_secret), 400)
  })

  test('a new registration access token ends the old one; a disabled or deleted client cannot manage itself', async () => {
    const { send, grant } = await world
    const { answer } = await send('POST', '/register', { body: {} })
    const path = `/register/${answer.client_id}`
    const first = answer.registration_access_token
    const renewed = await send('POST', `${path}/registration_access_token`, { token: first, body: {} })
    const token = renewed.answer.registration_access_token
    assert.equal((await send('GET', path, { token: first })).status, 401)
    assert.equal((await send('GET', path, { token })).status, 200)
    assert.equal((await send('PUT', path, { body: { disabled: true } })).status, 200)
    assert.equal((await send('GET', path, { token })).status, 401)
    assert.equal(await grant(answer.client_id, answer.client_secret), 401)
    assert.equal((await send('PUT', path, { body: { disabled: false } })).status, 200)
    assert.equal(await grant(answer.client_id, answer.client_secret), 200)
    assert.equal((await send('DELETE', path, { token })).status, 204)
    assert.equal((await send('GET', path, { token })).status, 401)
    assert.deepEqual([(await send('GET', path)).status, (await send('DELETE', path)).reason], [404, 'record_unknown'])
    assert.equal(await grant(answer.client_id, answer.client_secret), 401)
  })
})

describe('PUT /register/{client_id} by an operator', () => {
  test('accepts claims as deep as JSON may be, and refuses deeper ones', async () => {
    const { send } = await world
    const most = withLevels(MAX_JSON_LEVELS)
    const stored = await send('PUT', '/register/deep', { body: most })
    assert.deepEqual([stored.status, stored.answer['claims']], [201, JSON.parse(most).claims])
    for (const levels of [MAX_JSON_LEVELS + 1, 20_000]) {
      const { status, answer, reason } = await send('PUT', '/register/deep', { body: withLevels(levels) })
      assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'body_malformed'])
      assert.match(String(answer['error_description']), /more than 32 levels/)
    }
  })

  test('creates a client with any id, and with hashes of existing secrets', async () => {
    const { send, grant } = await world
    const ids = ['an:identifier', 'a/b', '100%', 'blank s', "'; DROP TABLE", '{}', '%2F']
    for (const id of ids) {
      const body = { client_secrets: [{ id: '1', hash: BCRYPT_FOOBAR, label: 'Hydra' }] }
      const { status, answer } = await send('PUT', `/register/${encodeURIComponent(id)}`, { body })
      assert.deepEqual([status, answer.client_id, answer.client_secret], [201, id, undefined])
      assert.equal(await grant(id, 'foobar'), 200)
    }
    const uri = String((await send('GET', '/register/a%2Fb')).answer['registration_client_uri'])
    assert.equal(uri, `${ISSUER}/register/a%2Fb`)
  })

  test('keeps the secrets unless the request replaces them', async () => {
    const { send, grant } = await world
    const secret = { id: '1', hash: BCRYPT_FOOBAR }
    await send('PUT', '/register/kept', { body: { client_secrets: [secret] } })
    assert.equal((await send('PUT', '/register/kept', { body: { client_name: 'x' } })).status, 200)
    assert.equal(await grant('kept', 'foobar'), 200)
    const labelled = await send('PUT', '/register/kept', { body: { client_secrets: [{ id: '1', label: 'old' }] } })
    assert.deepEqual(labelled.answer['client_secrets'], [{ id: '1', label: 'old', created_at: NOW }])
    assert.equal(await grant('kept', 'foobar'), 200)
    assert.equal((await send('PUT', '/register/kept', { body: { client_secrets: [] } })).status, 200)
    assert.equal(await grant('kept', 'foobar'), 401)
  })

  for (const [name, client_secrets] of [
    ['no list', {}],
    ['a hash of an unknown kind', [{ id: '1', hash: '$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/' }]],
    ['a secret in the place of a hash', [{ id: '1', hash: 'foobar' }]],
    ['a new one without a hash', [{ id: 'new' }]],
    [
      'two of one id',
      [
        { id: '1', hash: BCRYPT_FOOBAR },
        { id: '1', hash: BCRYPT_FOOBAR },
      ],
    ],
    ['eleven', Array.from({ length: 11 }, (_, index) => ({ id: `${index}`, hash: BCRYPT_FOOBAR }))],
    ['an id that is none', [{ id: 'a b', hash: BCRYPT_FOOBAR }]],
    ['an expiry as text', [{ id: '1', hash: BCRYPT_FOOBAR, expires_at: 'never' }]],
  ] as const) {
    test(`refuses client_secrets: ${name}`, async () => {
      const { status, answer } = await (await world).send('PUT', '/register/refused', { body: { client_secrets } })
      assert.deepEqual([status, answer['error']], [400, 'invalid_client_metadata'])
      assert.ok(!JSON.stringify(answer).includes('$'))
    })
  }

  test('refuses a different client_id in the body, and a malformed id', async () => {
    const { send } = await world
    assert.equal((await send('PUT', '/register/a', { body: { client_id: 'b' } })).reason, 'metadata_inconsistent')
    assert.equal((await send('PUT', `/register/${encodeURIComponent('ü')}`, { body: {} })).status, 404)
    assert.equal((await send('PUT', `/register/${'x'.repeat(257)}`, { body: {} })).status, 404)
  })

  test('If-Match accepts a list, and * for any version', async () => {
    const { send } = await world
    const { etag } = await send('PUT', '/register/listed', { body: {} })
    const put = async (match: string) =>
      (await send('PUT', '/register/listed', { body: {}, headers: { 'If-Match': match } })).status
    for (const match of [etag, `"other", ${etag}`, `${etag} ,"other"`, '*']) assert.equal(await put(match), 200, match)
    // RFC 9110 §13.1.1: the comparison is strong.
    for (const match of ['"other"', `"other", W/${etag}`, etag.slice(1, -1), '', '"a,*,b"', `"a,${etag},b"`, '*, *']) {
      assert.equal(await put(match), 412, match)
    }
    const none = await send('PUT', '/register/not-there', { body: {}, headers: { 'If-Match': '*' } })
    assert.deepEqual([none.status, none.reason], [412, 'record_changed'])
  })

  test('an unreadable record can be replaced or deleted, but not changed', async () => {
    const { send, registry } = await createManaged()
    for (const [method, path] of [
      ['POST', '/secrets'],
      ['DELETE', '/secrets/1'],
      ['POST', '/registration_access_token'],
    ] as const) {
      await registry.put('client:broken', '{')
      const { status, reason } = await send(method, `/register/broken${path}`, {
        ...(method === 'POST' && { body: {} }),
      })
      assert.deepEqual([status, reason], [503, 'record_malformed'], path)
      assert.equal(await registry.get('client:broken'), '{')
    }
    assert.equal((await send('PUT', '/register/broken', { body: {} })).status, 201)
  })

  test('a stale update is refused', async () => {
    const { send } = await world
    const { etag } = await send('PUT', '/register/tagged', { body: {} })
    const headers = { 'If-Match': etag }
    const second = await send('PUT', '/register/tagged', { body: { client_name: 'b' }, headers })
    assert.equal(second.status, 200)
    assert.notEqual(second.etag, etag)
    for (const [method, body] of [
      ['PUT', {}],
      ['DELETE', undefined],
    ] as const) {
      const { status, answer, reason } = await send(method, '/register/tagged', { body, headers })
      assert.deepEqual([status, answer['error'], reason], [412, 'precondition_failed', 'record_changed'])
    }
    assert.equal((await send('PUT', '/register/tagged', { body: {}, headers: { 'If-None-Match': '*' } })).status, 412)
    assert.equal((await send('PUT', '/register/absent', { body: {}, headers: { 'If-Match': '*' } })).status, 412)
    assert.equal((await send('PUT', '/register/absent', { body: {}, headers: { 'If-None-Match': '*' } })).status, 201)
  })

  test('concurrent requests each add their secret', async () => {
    const { send } = await world
    await send('PUT', '/register/raced', { body: { client_secrets: [] } })
    await Promise.all(Array.from({ length: 4 }, () => send('POST', '/register/raced/secrets', { body: {} })))
    assert.equal(((await send('GET', '/register/raced')).answer['client_secrets'] as unknown[]).length, 4)
  })

  test('a failing registry is 503, and never a lost change reported as made', async () => {
    const { registry } = memoryStores(() => NOW)
    const { send } = await createManaged({
      registry: { ...registry, replace: () => Promise.reject(new Error('down')) },
    })
    const { status, answer, reason } = await send('PUT', '/register/a', { body: {} })
    assert.deepEqual([status, answer['error'], reason], [503, 'temporarily_unavailable', 'store_failed'])
  })
})

describe('secrets', () => {
  test('rotate with overlap: both work until the old one expires', async () => {
    const { send, grant, state, events } = await createManaged()
    const { answer } = await send('POST', '/register', { body: {} })
    const { client_id, client_secret: first } = answer
    const rotated = await send('POST', `/register/${client_id}/secrets`, {
      body: { label: 'new', keep_others_until: NOW + 60 },
    })
    assert.equal(rotated.status, 201)
    assert.deepEqual(events.at(-1), { event: 'client_changed', change: 'secret_added', client_id, by: 'operator' })
    const { client_secret: second } = rotated.answer
    assert.equal(rotated.answer['label'], 'new')
    assert.deepEqual([await grant(client_id, first), await grant(client_id, second)], [200, 200])
    state.now = NOW + 59
    assert.equal(await grant(client_id, first), 200)
    state.now = NOW + 60
    assert.deepEqual([await grant(client_id, first), await grant(client_id, second)], [401, 200])
  })

  test('can be revoked by their id', async () => {
    const { send, grant } = await createManaged()
    const { answer } = await send('POST', '/register', { body: {} })
    const { client_id, client_secret, registration_access_token: token } = answer
    const [{ id } = { id: '' }] = answer['client_secrets'] as { id: string }[]
    const { answer: added } = await send('POST', `/register/${client_id}/secrets`, { token, body: {} })
    assert.equal((await send('DELETE', `/register/${client_id}/secrets/${id}`, { token })).status, 204)
    assert.deepEqual([await grant(client_id, client_secret), await grant(client_id, added.client_secret)], [401, 200])
    assert.deepEqual((await send('DELETE', `/register/${client_id}/secrets/${id}`, { token })).status, 404)
  })

  test('at most ten may be live; expired ones are replaced', async () => {
    const { send, state } = await createManaged()
    const { answer } = await send('POST', '/register', { body: {} })
    const path = `/register/${answer.client_id}/secrets`
    for (let index = 0; index < 9; index++)
      assert.equal((await send('POST', path, { body: { expires_at: NOW + 10 } })).status, 201)
    assert.equal((await send('POST', path, { body: {} })).reason, 'metadata_inconsistent')
    state.now = NOW + 10
    assert.equal((await send('POST', path, { body: {} })).status, 201)
  })

  test('the options of a new secret are validated', async () => {
    const { send } = await world
    await send('PUT', '/register/asked', { body: {} })
    for (const body of [{ keep_others_until: 0 }, { expires_at: 'soon' }, { label: 'a\u0000' }]) {
      assert.equal((await send('POST', '/register/asked/secrets', { body })).reason, 'metadata_malformed')
    }
    assert.equal((await send('POST', '/register/nobody/secrets', { body: {} })).status, 404)
  })
})

describe('an unreadable record', () => {
  test('is 503 to read, and an operator can delete or replace it', async () => {
    const { send, registry } = await createManaged()
    for (const id of ['a', 'b']) await registry.put(`client:${id}`, '{')
    const { status, reason } = await send('GET', '/register/a')
    assert.deepEqual([status, reason], [503, 'record_malformed'])
    assert.equal((await send('DELETE', '/register/a', { token: 'wrong' })).status, 401)
    assert.equal((await send('DELETE', '/register/a')).status, 204)
    assert.equal((await send('PUT', '/register/b', { body: {} })).status, 201)
    assert.equal((await send('GET', '/register/b')).status, 200)
  })

  test('a record larger than the stores accept is 413', async () => {
    const key = { ...publicJwk, note: Array.from({ length: 9000 }, () => 1e20) }
    const body = JSON.stringify({ ...keyed, jwks: { keys: [key] } }).replaceAll('100000000000000000000', '1e20')
    const { status, reason } = await (await world).send('PUT', '/register/large', { body })
    assert.deepEqual([status, reason], [413, 'record_too_large'])
  })

  test('a change between reading and deleting is not lost when the request names a version', async () => {
    const { registry } = memoryStores(() => NOW)
    const remove = async (key: string, expected: string) => {
      await registry.put(key, (await registry.get(key))?.replace('"old"', '"new"') ?? '')
      return registry.remove(key, expected)
    }
    const { send } = await createManaged({ registry: { ...registry, remove } })
    const { etag } = await send('PUT', '/register/a', { body: { client_name: 'old' } })
    assert.equal((await send('DELETE', '/register/a', { headers: { 'If-Match': etag } })).status, 412)
    assert.equal((await send('GET', '/register/a')).answer['client_name'], 'new')
  })
})

describe('GET /register', () => {
  test('lists every client once, in pages, and names an unreadable record', async () => {
    const { send, registry } = await createManaged()
    for (let index = 0; index < 25; index++) await send('PUT', `/register/c${index}`, { body: {} })
    await registry.put('client:broken', '{')
    const ids: unknown[] = []
    let cursor = ''
    do {
      const { answer } = await send('GET', `/register?limit=10${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      ids.push(...(answer['clients'] as { client_id: string }[]).map(({ client_id }) => client_id))
      cursor = String(answer['next_cursor'] ?? '')
    } while (cursor !== '')
    assert.equal(ids.length, 26)
    assert.equal(new Set(ids).size, 26)
    assert.ok(ids.includes('broken'))
    for (const limit of ['0', '1001', 'x', '-1', '1.5']) {
      const { status, reason } = await send('GET', `/register?limit=${limit}`)
      assert.deepEqual([status, reason], [400, 'query_malformed'], limit)
    }
    for (const limit of ['1', '1000']) assert.equal((await send('GET', `/register?limit=${limit}`)).status, 200)
    const withCursor = async (length: number) => (await send('GET', `/register?cursor=${'c'.repeat(length)}`)).status
    assert.deepEqual([await withCursor(2048), await withCursor(2049)], [200, 400])
  })
})
