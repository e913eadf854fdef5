import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { nonces } from '../../src/assertions/nonce.ts'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { privateKeyJwt as privateKeyMethod } from '../../src/authentication/private_key_jwt.ts'
import {
  clientSecret,
  githubToken,
  privateKeyJwt,
  spiffeToken,
  type TokenClientOptions,
  TokenError,
  tokenClient,
  workloadToken,
} from '../../src/client.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { deriveHmacKey } from '../../src/keys/derived_key.ts'
import { protect } from '../../src/resource_server.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createRevocable, RS } from '../support/revocable.ts'
import { ISSUER } from '../support/world.ts'

const REPORTS = `${RS}/reports`

interface Setup {
  readonly options?: Partial<TokenClientOptions>
  readonly withNonces?: boolean
}

/** A server, an API that is protected with its tokens, and a client of both. */
async function createClient({ options = {}, withNonces = false }: Setup = {}) {
  const state = { now: Math.floor(Date.now() / 1000) }
  const { registry, ledger } = memoryStores(() => state.now)
  const made = withNonces ? nonces(await deriveHmacKey('secret', 'dpop nonces')) : undefined
  const remoteKeys = () => Promise.reject(new Error('there is no jwks_uri'))
  const world = await createRevocable(
    {
      registry,
      ledger,
      confirmations: [dpop({ ledger, nonces: made })],
      clientAuth: [clientSecretPost(), privateKeyMethod({ ledger, remoteKeys })],
    },
    state,
  )
  const nonceSecret = withNonces ? 'a secret of the API, shared by its processes' : undefined
  const guard = protect({
    issuer: ISSUER,
    audience: RS,
    now: () => state.now,
    dpop: { nonceSecret },
    fetch: async (url, init) => world.app.request(url, init),
  })
  const sent: { path: string; status: number }[] = []
  const waited: number[] = []
  const planned: ((request: Request) => Response | undefined)[] = []
  const answer = async (request: Request): Promise<Response> => {
    const { origin } = new URL(request.url)
    const replaced = planned.shift()?.(request)
    if (replaced !== undefined) return replaced
    if (origin === ISSUER) return world.app.fetch(request)
    const result = await guard(request)
    return result instanceof Response ? result : new Response(`${result.clientId} ${await request.text()}`)
  }
  const client = tokenClient({
    issuer: ISSUER,
    clientId: 'test-client',
    credentials: clientSecret('foobar'),
    scope: 'read',
    resource: RS,
    now: () => state.now,
    wait: async (seconds) => {
      waited.push(seconds)
      state.now += seconds
    },
    async fetch(request) {
      const response = await answer(request)
      sent.push({ path: new URL(request.url).pathname, status: response.status })
      return response
    },
    ...options,
  })
  const tokens = () => sent.filter(({ path }) => path === '/token').length
  return { client, state, world, sent, waited, planned, tokens }
}

const busy = (status: number, retryAfter?: string) => () =>
  new Response('{"error":"temporarily_unavailable"}', {
    status,
    headers: retryAfter ? { 'Retry-After': retryAfter } : {},
  })

describe('a token client', () => {
  test('asks once for many callers, and keeps the token for three quarters of its life', async () => {
    const { client, state, tokens } = await createClient()
    assert.equal(tokens(), 0)
    const all = await Promise.all(Array.from({ length: 50 }, () => client.token()))
    assert.equal(new Set(all.map(({ accessToken }) => accessToken)).size, 1)
    assert.equal(tokens(), 1)
    const [first] = all
    assert.deepEqual(
      [first?.tokenType, first?.scope, first && first.expiresAt - first.issuedAt],
      ['Bearer', 'read', 1800],
    )
    state.now += 1349
    await client.token()
    assert.equal(tokens(), 1)
    state.now += 1
    await client.token()
    assert.equal(tokens(), 2)
  })

  test('waits as long as a busy server says, and then gets a token', async () => {
    for (const status of [503, 429]) {
      const { client, waited, planned, tokens } = await createClient()
      planned.push(busy(status, '7'))
      await client.token()
      assert.deepEqual([waited, tokens()], [[7], 2])
    }
  })

  test('waits until an HTTP date, and a little longer each time where the server says nothing', async () => {
    const { client, state, waited, planned } = await createClient()
    planned.push(busy(503, new Date((state.now + 9) * 1000).toUTCString()), busy(500), () => {
      throw new TypeError('the connection was reset')
    })
    await client.token()
    assert.deepEqual(waited, [9, 2, 3])
  })

  test('does not wait longer than it may, and asks nothing before the server may be asked', async () => {
    const { client, state, waited, planned, tokens } = await createClient()
    planned.push(busy(503, '31'))
    for (let call = 0; call < 3; call++) {
      await assert.rejects(client.token(), (error) => error instanceof TokenError && error.retryAfterSeconds === 31)
    }
    assert.deepEqual([waited, tokens()], [[], 1])
    state.now += 31
    await client.token()
    assert.equal(tokens(), 2)
  })

  test('uses the token that it has while the server is busy or away', async () => {
    const { client, state, planned, tokens } = await createClient({ options: { maxWaitSeconds: 0 } })
    const first = await client.token()
    state.now += 1500
    planned.push(busy(503, '60'))
    assert.equal(await client.token(), first)
    assert.equal(await client.token(), first)
    assert.equal(tokens(), 2)
    state.now += 300
    assert.notEqual(await client.token(), first)
  })

  test('does not ask again when it is refused', async () => {
    const { client, tokens } = await createClient({ options: { credentials: clientSecret('wrong') } })
    await assert.rejects(client.token(), (error) => {
      assert.ok(error instanceof TokenError)
      assert.deepEqual([error.status, error.code], [401, 'invalid_client'])
      assert.ok(!String(error).includes('wrong'))
      return true
    })
    assert.equal(tokens(), 1)
  })

  for (const [name, body] of [
    ['no JSON', '<html>'],
    ['no token', '{}'],
    ['a token of another kind', '{"access_token":"a","token_type":"mac","expires_in":60}'],
    ['a token without a life', '{"access_token":"a","token_type":"bearer"}'],
    ['a token without end', '{"access_token":"a","token_type":"bearer","expires_in":1e400}'],
    ['a token with a life in a text', '{"access_token":"a","token_type":"bearer","expires_in":"60"}'],
    ['a token that is empty', '{"access_token":"","token_type":"bearer","expires_in":60}'],
    ['a token of two lines', '{"access_token":"a\\nb","token_type":"bearer","expires_in":60}'],
    ['a token with a type that is no text', '{"access_token":"a","token_type":{"toString":1},"expires_in":60}'],
    ['a token bound to a key that was not sent', '{"access_token":"a","token_type":"DPoP","expires_in":60}'],
    ['a list', '[]'],
  ] as const) {
    test(`has no token from an answer that is ${name}`, async () => {
      const { client, planned } = await createClient()
      planned.push(() => new Response(body))
      await assert.rejects(client.token(), TokenError)
    })
  }

  test('does not go on with a token that is not bound to its key, RFC 9449 §5', async () => {
    const { client, planned, sent } = await createClient({ options: { dpop: true } })
    planned.push(() => Response.json({ access_token: 'a', token_type: 'Bearer', expires_in: 60 }))
    await assert.rejects(client.fetch(REPORTS), /TokenError: status 200: no DPoP token/)
    assert.deepEqual(sent, [{ path: '/token', status: 200 }])
  })

  test('shows what a server says as one short line', async () => {
    for (const [description, message] of [
      ['a\nb\u001b[31m', 'invalid_scope: a?b?[31m'],
      ['x'.repeat(10_000), `invalid_scope: ${'x'.repeat(500)}`],
      [{ toString: 1 }, 'invalid_scope: no Bearer token with a lifetime was issued'],
    ] as const) {
      const { client, planned, sent } = await createClient()
      planned.push(() => Response.json({ error: 'invalid_scope', error_description: description }, { status: 400 }))
      await assert.rejects(client.token(), { name: 'TokenError', message })
      assert.equal(sent.length, 1)
    }
  })

  test('rests for ten minutes at most, and not longer because the clock was set back', async () => {
    for (const after of [String(10 ** 9), '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT']) {
      const { client, state, planned } = await createClient()
      planned.push(busy(503, after))
      await assert.rejects(client.token(), (error) => error instanceof TokenError && error.retryAfterSeconds === 600)
      state.now += 600
      await client.token()
    }
    const { client, state, planned, tokens } = await createClient()
    planned.push(busy(503, '600'))
    await assert.rejects(client.token(), TokenError)
    state.now -= 1
    await client.token()
    assert.equal(tokens(), 2)
  })

  test('replaces a token that it got before the clock was set back', async () => {
    const { client, state, tokens } = await createClient()
    await client.token()
    state.now -= 10_000
    await client.token()
    assert.equal(tokens(), 2)
  })

  test('sends its credentials to an https URL, or to this machine', () => {
    const options = { issuer: ISSUER, clientId: 'a', credentials: clientSecret('b') }
    for (const wrong of [{ issuer: 'http://tokens.example' }, { tokenEndpoint: 'http://tokens.example/token' }])
      assert.throws(() => tokenClient({ ...options, ...wrong }), /^TypeError: tokenEndpoint:/)
    tokenClient({ ...options, issuer: 'http://127.0.0.1:8080' })
  })

  test('follows no redirect with its secret', async () => {
    const { client, planned, sent } = await createClient()
    planned.push(() => new Response(null, { status: 307, headers: { Location: 'https://evil.example/token' } }))
    await assert.rejects(client.token(), /status 307/)
    assert.equal(sent.length, 1)
  })
})

describe('credentials of a token client', () => {
  test('a private key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const { world } = await createClient()
    const record = {
      client_id: 'keyed',
      grant_types: ['client_credentials'],
      scope: 'read',
      resources: [RS],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] },
    }
    await world.registry.put(clientKey('keyed'), clientRecord(record))
    const credentials = privateKeyJwt(privateKey, { alg: 'ES256', kid: 'one' })
    const keyed = tokenClient({
      issuer: ISSUER,
      clientId: 'keyed',
      credentials,
      now: () => world.state.now,
      fetch: async (request) => world.app.fetch(request),
    })
    const [first, second] = [await keyed.token(), await keyed.token()]
    assert.equal(first, second)
    assert.equal(first.tokenType, 'Bearer')
  })

  test('the token of a platform, read again each time', async () => {
    let reads = 0
    const read = async () => {
      reads++
      return new SignJWT({ sub: 'workload' })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new Uint8Array(32))
        .then((jwt) => `${jwt}\n`)
    }
    const client = { clientId: 'deployer', issuer: ISSUER }
    for (const [make, type] of [
      [workloadToken, 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
      [spiffeToken, 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'],
    ] as const) {
      const { client_assertion_type, client_assertion } = await make(read)(client)
      assert.equal(client_assertion_type, type)
      assert.match(client_assertion ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/)
    }
    assert.equal(reads, 2)
  })
})

describe('the token of a job of GitHub', () => {
  const job = {
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://github.example/?v=1',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of the job',
  }

  test('is asked for, with the issuer as its audience', async () => {
    const asked: Request[] = []
    const send = async (request: Request) => {
      asked.push(request)
      return Response.json({ value: 'e30.e30.AA' })
    }
    const form = await githubToken(job, send)({ clientId: 'deployer', issuer: ISSUER })
    assert.equal(form['client_assertion'], 'e30.e30.AA')
    const [{ url, headers }] = asked as [Request]
    assert.equal(url, `https://github.example/?v=1&audience=${encodeURIComponent(ISSUER)}`)
    assert.equal(headers.get('Authorization'), 'Bearer of the job')
  })

  test('is missing where the job may not have one, or GitHub sends none', async () => {
    const send = async () => new Response('', { status: 401 })
    const client = { clientId: 'deployer', issuer: ISSUER }
    await assert.rejects(githubToken({}, send)(client), /id-token: write/)
    await assert.rejects(githubToken(job, send)(client), /GitHub has sent no token/)
  })
})

describe('the fetch of a token client', () => {
  test('sends the token to its API only', async () => {
    const { client, sent } = await createClient()
    assert.equal(await (await client.fetch(REPORTS)).text(), 'test-client ')
    await assert.rejects(
      client.fetch('https://evil.example/'),
      /^TypeError: tokens are not sent to https:\/\/evil\.example/,
    )
    assert.deepEqual(
      sent.map(({ path }) => path),
      ['/token', '/reports'],
    )
  })

  test('sends no token without TLS, or to what has no origin, unless its owner names it', async () => {
    const urls = ['http://api.example/', 'urn:api', 'data:,x']
    for (const resource of urls) {
      const { client, sent } = await createClient({ options: { resource } })
      await assert.rejects(client.fetch(resource), /^TypeError: tokens are not sent to/)
      assert.deepEqual(sent, [])
    }
  })

  test('gets another token when its own was refused, once', async () => {
    const { client, planned, sent } = await createClient()
    await client.token()
    const refused = () =>
      new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } })
    planned.push(refused)
    const good = await client.fetch(REPORTS, { method: 'POST', body: 'a body' })
    assert.equal(await good.text(), 'test-client a body')
    assert.deepEqual(
      sent.map(({ status }) => status),
      [200, 401, 200, 200],
    )
    planned.push(refused, () => undefined, refused)
    assert.equal((await client.fetch(REPORTS)).status, 401)
  })

  test('proves the possession of its key, with the nonces of the server and of the API', async () => {
    const { client, sent } = await createClient({ options: { dpop: true }, withNonces: true })
    const good = await client.fetch(`${REPORTS}?a=1`, { method: 'POST', body: 'a body' })
    assert.equal(await good.text(), 'test-client a body')
    assert.deepEqual(sent, [
      { path: '/token', status: 400 },
      { path: '/token', status: 200 },
      { path: '/reports', status: 401 },
      { path: '/reports', status: 200 },
    ])
    assert.equal((await client.fetch(REPORTS)).status, 200)
    assert.equal(sent.length, 5)
  })

  test('sends a stream once', async () => {
    const { client, sent } = await createClient({ options: { dpop: true }, withNonces: true })
    const body = new Blob(['a body']).stream()
    const response = await client.fetch(REPORTS, { method: 'POST', body, duplex: 'half' } as RequestInit)
    assert.equal(response.status, 401)
    assert.equal(sent.filter(({ path }) => path === '/reports').length, 1)
  })
})
