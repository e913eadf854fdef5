import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { introspection } from '../../src/resource_server.ts'
import { createGuarded, type Guarded, signAs } from '../support/guarded.ts'
import { ISSUER, NOW } from '../support/world.ts'

const PATH = '/introspect'
const credentials = { clientId: 'rs', clientSecret: 'foobar' }

const reasonOf = ({ events }: Guarded): string | undefined => {
  const event = events.at(-1)
  return event?.event === 'request_refused' ? event.reason : undefined
}
const statusOf = (result: unknown): number => (result instanceof Response ? result.status : 200)

const createIntrospecting = (options: Parameters<typeof introspection>[0] = credentials): Promise<Guarded> =>
  createGuarded({ revocations: introspection(options) })

describe('introspection', () => {
  test('sees a revocation at the next request', async () => {
    const guarded = await createIntrospecting({ clientId: 'inspector', accessToken: () => inspect })
    const inspect = guarded.world.grant({ scope: 'introspection' }, 'inspector')
    const token = await guarded.world.grant()
    assert.equal(statusOf(await guarded.send(token)), 200)
    await guarded.world.revoke(token)
    assert.equal(statusOf(await guarded.send(token)), 401)
    assert.equal(reasonOf(guarded), 'token_inactive')
  })

  test('asks for a signed answer, with credentials that are form-encoded', async () => {
    let asked: RequestInit | undefined
    const guarded = await createGuarded({
      revocations: introspection({ clientId: 'a:b', clientSecret: 'p+q é' }),
      fetch: async (url, init) => {
        if (!url.endsWith(PATH)) return guarded.world.app.request(url, init)
        asked = init
        return Response.json({ active: true })
      },
    })
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
    const headers = new Headers(asked?.headers)
    assert.equal(headers.get('Authorization'), `Basic ${btoa('a%3Ab:p%2Bq+%C3%A9')}`)
    assert.match(headers.get('Accept') ?? '', /^application\/token-introspection\+jwt,/)
  })

  for (const [name, answer] of [
    ['of another issuer', { active: true, iss: 'https://evil.example' }],
    ['after white space', { active: false }],
  ] as const) {
    test(`does not accept a token by an answer ${name}`, async () => {
      const guarded = await createIntrospecting()
      guarded.network.replaced.set(PATH, () => new Response(`\n ${JSON.stringify(answer)}`))
      assert.equal(statusOf(await guarded.send(await guarded.sign())), 401)
      assert.equal(reasonOf(guarded), 'token_inactive')
    })
  }

  test('is not asked about a token that is refused without it', async () => {
    const guarded = await createIntrospecting()
    assert.equal(statusOf(await guarded.send(await guarded.sign({ claims: { aud: 'urn:x' } }))), 401)
    assert.ok(!guarded.network.asked.includes(PATH))
  })

  const unusable: readonly [name: string, answer: () => Response][] = [
    ['an error', () => new Response('', { status: 401 })],
    ['no JSON', () => new Response('{')],
    ['a page', () => new Response('<html>')],
    ['a redirect', () => new Response(null, { status: 307, headers: { Location: '/' } })],
  ]
  for (const [name, answer] of unusable) {
    test(`is 503 for ${name}`, async () => {
      const guarded = await createIntrospecting()
      guarded.network.replaced.set(PATH, answer)
      assert.equal(statusOf(await guarded.send(await guarded.sign())), 503)
      assert.equal(reasonOf(guarded), 'introspection_unavailable')
    })
  }

  test('is 503 while the issuer is down, and at an issuer without it', async () => {
    const guarded = await createIntrospecting()
    const token = await guarded.sign()
    guarded.network.replaced.set(PATH, () => Response.json({ active: true }))
    assert.equal(statusOf(await guarded.send(token)), 200)
    guarded.network.isDown = true
    assert.equal(statusOf(await guarded.send(token)), 503)
    const metadata = { jwks_uri: `${ISSUER}/.well-known/jwks.json` }
    const without = await createGuarded({ revocations: introspection(credentials), metadata })
    assert.equal(statusOf(await without.send(await without.sign())), 503)
  })

  for (const [name, answer] of [
    ['not active', { active: false }],
    ['active as a text', { active: 'true' }],
    ['about another token', { active: true, jti: 'another' }],
    ['empty', {}],
  ] as const) {
    test(`refuses a token when the answer is ${name}`, async () => {
      const guarded = await createIntrospecting()
      guarded.network.replaced.set(PATH, () => Response.json(answer))
      assert.equal(statusOf(await guarded.send(await guarded.sign())), 401)
      assert.equal(reasonOf(guarded), 'token_inactive')
    })
  }

  const good = { iss: ISSUER, aud: 'rs', iat: NOW, token_introspection: { active: true } }
  const typ = 'token-introspection+jwt'
  const signed: readonly [name: string, status: number, claims: object, header: object][] = [
    ['for this API', 200, {}, {}],
    ['that says inactive', 401, { token_introspection: { active: false } }, {}],
    ['for another API', 503, { aud: 'rs2' }, {}],
    ['of another issuer', 503, { iss: 'https://evil.example' }, {}],
    ['of long ago', 503, { iat: NOW - 31 }, {}],
    ['of another type', 503, {}, { typ: 'at+jwt' }],
    ['of another key', 503, {}, { kid: 'x' }],
    ['that says nothing', 503, { token_introspection: undefined }, {}],
  ]
  test('a signed answer of a second ago counts where there is no skew', async () => {
    const guarded = await createGuarded({ revocations: introspection(credentials), clockSkewSeconds: 0 })
    const answer = await signAs(guarded.world.keyring, { ...good, iat: NOW - 1 }, { typ })
    guarded.network.replaced.set(PATH, () => new Response(`${answer}\n`))
    assert.equal(statusOf(await guarded.send(await guarded.sign())), 200)
  })

  for (const [name, status, claims, header] of signed) {
    test(`a signed answer ${name}: ${status}`, async () => {
      const guarded = await createIntrospecting()
      const answer = await signAs(guarded.world.keyring, { ...good, ...claims }, { typ, ...header })
      guarded.network.replaced.set(PATH, () => new Response(answer))
      assert.equal(statusOf(await guarded.send(await guarded.sign())), status)
    })
  }
})
