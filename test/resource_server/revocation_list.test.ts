import assert from 'node:assert/strict'
import { decodeProtectedHeader } from 'jose'
import { describe, test } from '#test'
import { revocationList } from '../../src/resource_server.ts'
import { hashClientId } from '../../src/tokens/revocations.ts'
import { createGuarded, type Guarded, signAs } from '../support/guarded.ts'
import { createRevocable, RS } from '../support/revocable.ts'
import { ISSUER, NOW } from '../support/world.ts'

const LIST = '/revocations'

async function ask(guarded: Guarded, token: string, at: number): Promise<number> {
  guarded.world.state.now = at
  const work: Promise<unknown>[] = []
  const result = await guarded.send(token, { waitUntil: (each) => work.push(each) })
  await Promise.all(work)
  return result instanceof Response ? result.status : 200
}

const lasting = { claims: { exp: NOW + 1_000_000 } }
const reasonsOf = ({ events }: Guarded) =>
  events.flatMap((each) => (each.event === 'request_refused' ? [each.reason] : []))
const problemsOf = ({ events }: Guarded) =>
  events.flatMap((each) => (each.event === 'list_ignored' ? [each.problem] : []))

describe('the list of revocations', () => {
  test('a revoked token is refused a minute later at the latest, whenever requests come', async () => {
    for (const pauses of [[1], [10], [29], [60], [7, 31]]) {
      const guarded = await createGuarded({ revocations: revocationList() })
      const token = await guarded.world.grant()
      assert.equal(await ask(guarded, token, NOW), 200)
      guarded.world.state.now = NOW + 1
      await guarded.world.revoke(token)
      let now = NOW + 1
      for (let step = 0; (await ask(guarded, token, now)) === 200; step++) now += pauses[step % pauses.length] ?? 1
      assert.ok(now <= NOW + 1 + 60, `${pauses}: ${now - NOW - 1} s`)
      assert.deepEqual(reasonsOf(guarded), ['token_revoked'])
    }
  })

  test('the tokens of a client and of all clients are refused by their iat', async () => {
    const guarded = await createGuarded({ revocations: revocationList() })
    const [before, after] = [await guarded.sign(lasting), await guarded.sign({ claims: { iat: NOW + 31 } })]
    const other = await guarded.sign({ claims: { client_id: 'other', sub: 'other' } })
    await guarded.world.operate('POST', LIST, { client_id: 'reporting' })
    assert.deepEqual([await ask(guarded, before, NOW + 1), await ask(guarded, other, NOW + 1)], [401, 200])
    assert.equal(await ask(guarded, after, NOW + 31), 200)
    await guarded.world.operate('POST', LIST, {})
    assert.deepEqual([await ask(guarded, other, NOW + 91), await ask(guarded, after, NOW + 91)], [401, 401])
  })

  test('is fetched once for many requests, and then every 30 seconds', async () => {
    const guarded = await createGuarded({ revocations: revocationList() })
    const token = await guarded.sign(lasting)
    await Promise.all(Array.from({ length: 20 }, () => guarded.send(token)))
    const asked = () => guarded.network.asked.filter((path) => path === LIST).length
    assert.equal(asked(), 1)
    for (let seconds = 1; seconds <= 120; seconds++) await ask(guarded, token, NOW + seconds)
    assert.equal(asked(), 5)
  })

  test('is used for five minutes while the issuer is down; then requests get 503 until it is back', async () => {
    const guarded = await createGuarded({ revocations: revocationList() })
    const [token, revoked] = [await guarded.sign(lasting), await guarded.world.grant()]
    await guarded.world.revoke(revoked)
    assert.equal(await ask(guarded, token, NOW), 200)
    guarded.network.isDown = true
    for (const seconds of [40, 70, 200, 299]) {
      assert.equal(await ask(guarded, token, NOW + seconds), 200)
      assert.equal(await ask(guarded, revoked, NOW + seconds), 401)
    }
    assert.equal(await ask(guarded, token, NOW + 300), 503)
    assert.equal(await ask(guarded, revoked, NOW + 300), 401)
    assert.equal(reasonsOf(guarded).filter((reason) => reason === 'revocations_unavailable').length, 1)
    guarded.network.isDown = false
    assert.equal(await ask(guarded, token, NOW + 400), 200)
  })

  test('a token that was revoked while the issuer could not be reached is refused once it is back', async () => {
    const guarded = await createGuarded({ revocations: revocationList({ onStaleList: 'allow' }) })
    const token = await guarded.world.grant()
    assert.equal(await ask(guarded, token, NOW), 200)
    guarded.network.isDown = true
    await guarded.world.revoke(token)
    assert.deepEqual([await ask(guarded, token, NOW + 100), await ask(guarded, token, NOW + 400)], [200, 200])
    assert.deepEqual(
      guarded.events.filter(({ event }) => event === 'list_stale'),
      [{ event: 'list_stale', ageSeconds: 400 }],
    )
    guarded.network.isDown = false
    assert.equal(await ask(guarded, token, NOW + 406), 200)
    assert.equal(await ask(guarded, token, NOW + 407), 401)
  })

  test('that was never there is 503, or nothing with `allow`', async () => {
    for (const [onStaleList, status] of [
      ['refuse', 503],
      ['allow', 200],
    ] as const) {
      const guarded = await createGuarded({ revocations: revocationList({ onStaleList }) })
      guarded.network.replaced.set(LIST, () => new Response('', { status: 503 }))
      assert.equal(await ask(guarded, await guarded.sign(), NOW), status)
    }
  })

  test('of an issuer that publishes none is 503', async () => {
    const jwks_uri = `${ISSUER}/.well-known/jwks.json`
    const guarded = await createGuarded({ revocations: revocationList(), metadata: { jwks_uri } })
    assert.equal(await ask(guarded, await guarded.sign(), NOW), 503)
  })

  test('must be allowed to be 30 seconds old', () => {
    assert.throws(() => revocationList({ maxAgeSeconds: 29 }), /maxAgeSeconds/)
  })
})

describe('a list of revocations that is not usable is ignored and reported', () => {
  const good = { iss: ISSUER, iat: NOW + 40, exp: NOW + 340, revoked: [], client_hashes: {}, all: 0 }
  const typ = 'revocations+jwt'
  const another = createRevocable()
  const cases: readonly [name: string, claims: object, header: object, problem: string][] = [
    ['of an older instant', { iat: NOW - 1 }, {}, 'older'],
    ['of another issuer', { iss: 'https://evil.example' }, {}, 'iss_wrong'],
    ['that has expired', { exp: NOW + 40 }, {}, 'expired'],
    ['of the future', { iat: NOW + 1000, exp: NOW + 1300 }, {}, 'not_yet_valid'],
    ['that is an access token', {}, { typ: 'at+jwt' }, 'not_signed_by_issuer'],
    ['of another key', {}, { kid: 'x' }, 'not_signed_by_issuer'],
    ['without algorithm', {}, { alg: 'none' }, 'not_signed_by_issuer'],
    ['without iat', { iat: undefined }, {}, 'malformed'],
    ['without exp', { exp: undefined }, {}, 'malformed'],
    ['without revoked', { revoked: undefined }, {}, 'malformed'],
    ['without all', { all: undefined }, {}, 'malformed'],
    ['without client_hashes', { client_hashes: undefined }, {}, 'malformed'],
    ['with kids that are no list', { kids: 'k' }, {}, 'malformed'],
    ['with a client_hash that is no instant', { client_hashes: { x: '0' } }, {}, 'malformed'],
  ]
  for (const [name, claims, header, problem] of cases) {
    test(name, async () => {
      const guarded = await createGuarded({ revocations: revocationList() })
      const { keyring } = await another
      const [token, revoked] = [await guarded.sign(lasting), await guarded.world.grant()]
      await guarded.world.revoke(revoked)
      assert.equal(await ask(guarded, token, NOW), 200)
      const list = await signAs(keyring, { ...good, ...claims }, { typ, ...header })
      guarded.network.replaced.set(LIST, () => new Response(list))
      assert.deepEqual([await ask(guarded, token, NOW + 40), await ask(guarded, revoked, NOW + 41)], [200, 401])
      assert.deepEqual(problemsOf(guarded), [problem])
      assert.equal(await ask(guarded, token, NOW + 300), 503)
    })
  }

  test('with a good signature and all members, it would be used', async () => {
    const guarded = await createGuarded({ revocations: revocationList() })
    const token = await guarded.sign({ claims: { exp: NOW + 1000, jti: 'x' } })
    assert.equal(await ask(guarded, token, NOW), 200)
    const { keyring } = guarded.world
    const list = await signAs(keyring, { ...good, client_hashes: { [await hashClientId('reporting')]: NOW } }, { typ })
    guarded.network.replaced.set(LIST, () => new Response(list))
    assert.deepEqual([await ask(guarded, token, NOW + 40), await ask(guarded, token, NOW + 41)], [200, 401])
    assert.deepEqual(problemsOf(guarded), [])
  })

  test('it denies the tokens of a revoked key, and those of which a denied client is a party', async () => {
    const guarded = await createGuarded({ revocations: revocationList() })
    const { keyring } = guarded.world
    const act = { sub: 'gateway', act: { sub: 'agent' } }
    const token = await guarded.sign({ claims: { exp: NOW + 1000, act } })
    const foreign = await guarded.sign({
      claims: { exp: NOW + 1000, act: { sub: 'agent', iss: 'https://idp.example' } },
    })
    const { kid } = decodeProtectedHeader(token)
    const replace = async (members: object): Promise<void> => {
      const list = await signAs(keyring, { ...good, ...members }, { typ })
      guarded.network.replaced.set(LIST, () => new Response(list))
    }
    await replace({ client_hashes: { [await hashClientId('agent')]: NOW } })
    assert.deepEqual([await ask(guarded, token, NOW + 40), await ask(guarded, foreign, NOW + 40)], [401, 200])
    await replace({ iat: NOW + 90, kids: [kid] })
    assert.equal(await ask(guarded, foreign, NOW + 130), 401)
  })

  for (const [name, answer] of [
    ['that is no JWT', () => new Response('{}')],
    ['with another signature', null],
  ] as const) {
    test(name, async () => {
      const guarded = await createGuarded({ revocations: revocationList() })
      const list = await signAs(guarded.world.keyring, good, { typ })
      const forged = list.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`)
      guarded.network.replaced.set(LIST, answer ?? (() => new Response(forged)))
      assert.equal(await ask(guarded, await guarded.sign({ claims: { aud: RS } }), NOW), 503)
      assert.equal(problemsOf(guarded)[0], answer === null ? 'not_signed_by_issuer' : 'malformed')
    })
  }
})
