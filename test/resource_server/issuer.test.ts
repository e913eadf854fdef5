import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { type ProtectOptions, protect } from '../../src/resource_server.ts'
import { createGuarded, type Guarded } from '../support/guarded.ts'
import { ISSUER, NOW } from '../support/world.ts'

const METADATA = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'
const KEYS = '/.well-known/jwks.json'

const statusOf = (result: unknown): number => (result instanceof Response ? result.status : 200)
const json = (value: object) => () => Response.json(value)
const times = ({ network }: Guarded, path: string) => network.asked.filter((each) => each === path).length

async function askAt(guarded: Guarded, now: number, token: string): Promise<number> {
  guarded.world.state.now = now
  return statusOf(await guarded.send(token))
}

/** A token that is valid at all times of these tests, and how often the keys were fetched. */
const lasting = { claims: { exp: NOW + 1_000_000 } }

describe('the metadata of the issuer', () => {
  test('is fetched at the first request, once for many', async () => {
    const guarded = await createGuarded()
    assert.deepEqual(guarded.network.asked, [])
    const token = await guarded.sign(lasting)
    await Promise.all(Array.from({ length: 20 }, () => guarded.send(token)))
    assert.deepEqual(guarded.network.asked, [METADATA, KEYS])
    await askAt(guarded, NOW + 100_000, token)
    assert.equal(times(guarded, METADATA), 1)
  })

  test('is that of OpenID Connect where the issuer has no other', async () => {
    const guarded = await createGuarded()
    guarded.network.replaced.set(METADATA, () => new Response('', { status: 404 }))
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
    assert.deepEqual(guarded.network.asked, [METADATA, OPENID, KEYS])
  })

  const jwks_uri = `${ISSUER}${KEYS}`
  const refused: readonly [name: string, answer: () => Response][] = [
    ['of another issuer', json({ issuer: `${ISSUER}/`, jwks_uri })],
    ['without issuer', json({ jwks_uri })],
    ['whose keys are at an http URL', json({ issuer: ISSUER, jwks_uri: jwks_uri.replace('https', 'http') })],
    ['whose keys are at a URL with a password', json({ issuer: ISSUER, jwks_uri: 'https://a:b@keys.example' })],
    ['without keys', json({ issuer: ISSUER })],
    ['that is a list', json([])],
    ['that is null', () => new Response('null')],
    ['that is no JSON', () => new Response('<html>')],
    ['that is a redirect', () => new Response(null, { status: 302, headers: { Location: `${ISSUER}${OPENID}` } })],
    ['that is an error', () => new Response('', { status: 500 })],
    ['of more than 256 KiB', json({ issuer: ISSUER, jwks_uri, x: 'x'.repeat(256 * 1024) })],
  ]
  for (const [name, answer] of refused) {
    test(`${name} is not used, and the request gets 503`, async () => {
      const guarded = await createGuarded()
      guarded.network.replaced.set(METADATA, answer)
      const response = await guarded.send(await guarded.sign())
      assert.ok(response instanceof Response)
      assert.deepEqual([response.status, response.headers.get('Retry-After')], [503, '5'])
      assert.equal(response.headers.get('WWW-Authenticate'), null)
      const kinds = guarded.events.map((each) => (each.event === 'fetch_failed' ? each.document : each.event))
      assert.deepEqual(kinds, ['metadata', 'keys', 'request_refused'])
      const last = guarded.events.at(-1)
      assert.equal(last?.event === 'request_refused' && last.reason, 'keys_unavailable')
    })
  }

  test('is fetched again after a failure, at most every five seconds', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign()
    guarded.network.isDown = true
    assert.equal(await askAt(guarded, NOW, token), 503)
    assert.equal(await askAt(guarded, NOW + 4, token), 503)
    assert.equal(guarded.network.asked.length, 1)
    guarded.network.isDown = false
    assert.equal(await askAt(guarded, NOW + 5, token), 200)
  })

  test('is not fetched when the owner names the keys', async () => {
    const guarded = await createGuarded({ metadata: { jwks_uri } })
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
    assert.deepEqual(guarded.network.asked, [KEYS])
  })
})

describe('the keys of the issuer', () => {
  test('are fetched again for an unknown kid, at most every 30 seconds', async () => {
    const guarded = await createGuarded()
    const [good, unknown] = [await guarded.sign(lasting), await guarded.sign({ ...lasting, header: { kid: 'x' } })]
    assert.equal(await askAt(guarded, NOW, good), 200)
    const asked: number[] = []
    for (const seconds of [0, 1, 29, 30, 31, 59, 60]) {
      assert.equal(await askAt(guarded, NOW + seconds, unknown), 401)
      asked.push(times(guarded, KEYS))
    }
    assert.deepEqual(asked, [1, 1, 1, 2, 2, 2, 3])
  })

  test('that are new are found after 30 seconds', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(lasting)
    guarded.network.replaced.set(KEYS, json({ keys: [] }))
    assert.equal(await askAt(guarded, NOW, token), 401)
    guarded.network.replaced.delete(KEYS)
    assert.equal(await askAt(guarded, NOW + 29, token), 401)
    assert.equal(await askAt(guarded, NOW + 30, token), 200)
  })

  test('are renewed while requests go on after five minutes, and before a request after ten', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(lasting)
    assert.equal(await askAt(guarded, NOW, token), 200)
    assert.equal(await askAt(guarded, NOW + 299, token), 200)
    assert.equal(times(guarded, KEYS), 1)
    guarded.network.replaced.set(KEYS, json({ keys: [] }))
    const work: Promise<unknown>[] = []
    guarded.world.state.now = NOW + 300
    assert.equal(statusOf(await guarded.send(token, { waitUntil: (each) => work.push(each) })), 200)
    assert.equal(work.length, 1)
    await Promise.all(work)
    assert.equal(await askAt(guarded, NOW + 301, token), 401)
    guarded.network.replaced.delete(KEYS)
    assert.equal(await askAt(guarded, NOW + 901, token), 200)
  })

  test('are used for twelve hours while the issuer is down', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(lasting)
    assert.equal(await askAt(guarded, NOW, token), 200)
    guarded.network.isDown = true
    for (const hours of [1, 6, 11.99]) assert.equal(await askAt(guarded, NOW + hours * 3600, token), 200)
    assert.equal(await askAt(guarded, NOW + 12 * 3600, token), 503)
    guarded.network.isDown = false
    assert.equal(await askAt(guarded, NOW + 12 * 3600 + 60, token), 200)
  })

  test('are fetched again, and used, after the clock was set back', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign({ claims: { exp: NOW + 1_000_000, iat: NOW - 20_000 } })
    assert.equal(await askAt(guarded, NOW, token), 200)
    guarded.network.replaced.set(KEYS, json({ keys: [] }))
    const back = NOW - 10_000
    await askAt(guarded, back, token)
    assert.equal(times(guarded, KEYS), 2)
    assert.equal(await askAt(guarded, back + 1, token), 401)
  })

  for (const [name, document] of [
    ['that are no list', { keys: {} }],
    ['that are missing', {}],
  ] as const) {
    test(`${name} are an answer that is not used`, async () => {
      const guarded = await createGuarded()
      guarded.network.replaced.set(KEYS, json(document))
      assert.equal(statusOf(await guarded.send(await guarded.sign())), 503)
    })
  }

  test('of other kinds in the same set do not matter', async () => {
    const guarded = await createGuarded()
    const { keys } = (await (await guarded.world.app.request(`${ISSUER}${KEYS}`)).json()) as { keys: object[] }
    const others = [null, 'x', {}, { kty: 'oct', k: 'AA' }, { kty: 'RSA', n: 'AQAB', e: 'AQ' }, { kty: 'EC' }]
    guarded.network.replaced.set(KEYS, json({ keys: [...others, ...keys] }))
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
  })
})

describe('options that cannot work', () => {
  const refused: readonly [name: string, options: Partial<ProtectOptions>, message: RegExp][] = [
    ['an issuer at an http URL', { issuer: 'http://tokens.example' }, /^issuer:/],
    ['an issuer that is no URL', { issuer: 'tokens' }, /^issuer:/],
    ['no audience', { audience: [] }, /^audience:/],
    ['an empty audience', { audience: '' }, /^audience:/],
    ['a symmetric algorithm', { algorithms: ['HS256'] }, /^algorithms:/],
    ['no algorithm at all', { algorithms: ['none'] }, /^algorithms:/],
    ['a skew of ten minutes', { clockSkewSeconds: 600 }, /^clockSkewSeconds:/],
    ['an origin with a path', { dpop: { origin: 'https://api.example/' } }, /^dpop\.origin:/],
    ['a nonce secret that can be guessed', { dpop: { nonceSecret: 'nonces' } }, /^dpop\.nonceSecret:/],
    ['keys at an http URL', { metadata: { jwks_uri: 'http://tokens.example/jwks' } }, /^metadata:/],
    [
      'a list at an http URL',
      { metadata: { jwks_uri: `${ISSUER}${KEYS}`, revocations_uri: 'http://tokens.example/revocations' } },
      /^metadata:/,
    ],
  ]
  for (const [name, options, message] of refused) {
    test(`are refused at once: ${name}`, () => {
      assert.throws(() => protect({ issuer: ISSUER, audience: 'x', ...options }), { name: 'TypeError', message })
    })
  }

  test('an issuer on this machine may be at an http URL', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) protect({ issuer: `http://${host}:8080`, audience: 'x' })
  })
})

describe('what receives events', () => {
  test('cannot change what is decided by failing', async () => {
    const guarded = await createGuarded({
      onEvent: () => {
        throw new Error('the log is full')
      },
    })
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
    assert.equal(statusOf(await guarded.send('x')), 401)
  })
})
