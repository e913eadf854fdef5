import assert from 'node:assert/strict'
import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { memoryStores } from '../../src/stores/memory.ts'
import { hashClientId, revocations } from '../../src/tokens/revocations.ts'
import { levelsOf } from '../stores/ledger_contract.ts'
import { textOf } from '../support/body.ts'
import { createRevocable, RS } from '../support/revocable.ts'
import { clients, ISSUER, NOW } from '../support/world.ts'

/** The clock difference that each cut allows for. */
const SKEW = 30

const world = createRevocable()
const hashes = async () => ({ client_secrets: [{ id: '1', hash: (await clients())[0]?.client_secrets?.[0]?.hash }] })

describe('POST /revoke', () => {
  test('revokes a token of the client at once; repeating it is 200', async () => {
    const { grant, revoke, isActive, events } = await world
    const [token, other] = [await grant(), await grant()]
    const { status, text } = await revoke(token)
    assert.deepEqual([status, text], [200, ''])
    assert.deepEqual(events.at(-1), { event: 'token_revoked', client_id: 'test-client', jti: decodeJwt(token).jti })
    assert.deepEqual([await isActive(token), await isActive(other)], [false, true])
    assert.equal((await revoke(token)).status, 200)
  })

  test('answers alike for unknown and expired tokens and those of other clients, and stores nothing', async () => {
    const { grant, revoke, isActive, ledger, state } = await createRevocable()
    const token = await grant()
    for (const [text, client] of [
      [token, 'a'],
      [token, 'rs'],
      ['x', 'test-client'],
      [`${token}A`, 'test-client'],
    ] as const) {
      assert.deepEqual((await revoke(text, client)).status, 200)
    }
    assert.equal(await isActive(token), true)
    state.now = NOW + 1800
    assert.equal((await revoke(token)).status, 200)
    assert.deepEqual(await levelsOf(ledger, 'revoked'), [])
  })

  test('a mark is kept until the token would have expired', async () => {
    const { grant, revoke, ledger, state } = await createRevocable()
    await revoke(await grant())
    state.now = NOW + 1859
    assert.equal((await levelsOf(ledger, 'revoked')).length, 1)
    state.now = NOW + 1860
    assert.equal((await levelsOf(ledger, 'revoked')).length, 0)
  })

  test('a failing ledger is 503, never a lost revocation reported as made', async () => {
    const broken = () => Promise.reject(new Error('down'))
    const { ledger } = memoryStores(() => NOW)
    const { grant, revoke, introspect } = await createRevocable({ ledger: { ...ledger, raise: broken, get: broken } })
    const token = await grant()
    for (const { status, reason } of [await revoke(token), await introspect(token)]) {
      assert.deepEqual([status, reason], [503, 'store_failed'])
    }
  })

  test('a client that revokes too many takes its earlier tokens with each, and the list does not grow', async () => {
    const { grant, revoke, isActive, ledger, events, state } = await createRevocable()
    const { revoke: deny } = revocations(ledger, { lifetimeSeconds: 1800, staleSeconds: 0 })
    for (let index = 0; index < 2000; index++) {
      const token = { jti: `${index}`, exp: NOW + 1800, client_id: 'test-client', parties: ['test-client'], iat: NOW }
      for (let again = 0; again < 2; again++) assert.deepEqual(await deny(token), {}, 'a repetition does not count')
    }
    const [token, another, others] = [await grant(), await grant(), await grant({ resource: RS }, 'no-flag')]
    state.now = NOW + 1
    const later = await grant()
    assert.equal((await revoke(token)).status, 200)
    assert.deepEqual(events.at(-1), { event: 'tokens_cut', before: NOW, client_id: 'test-client' })
    const active = [await isActive(token), await isActive(another), await isActive(others), await isActive(later)]
    assert.deepEqual(active, [false, false, true, true], 'what was issued later is not denied')
    await revoke(later)
    assert.equal(await isActive(later), false)
    assert.equal((await levelsOf(ledger, 'revoked')).length, 2000)
    state.now = NOW + 1860
    await revoke(await grant())
    assert.equal((await levelsOf(ledger, 'revoked')).length, 1, 'the next window begins with none')
  })
})

describe('POST /revocations', () => {
  test('denies the tokens of one or all clients issued until an instant; an earlier cut does not undo a later one', async () => {
    const { grant, isActive, operate, state, events } = await createRevocable()
    const [mine, others] = [await grant(), await grant({ resource: RS }, 'no-flag')]
    state.now = NOW + 100
    const later = await grant()
    assert.equal((await operate('POST', '/revocations', { client_id: 'test-client', before: NOW + 50 })).status, 200)
    assert.deepEqual(events.at(-1), { event: 'tokens_cut', before: NOW + 50 + SKEW, client_id: 'test-client' })
    assert.deepEqual([await isActive(mine), await isActive(others), await isActive(later)], [false, true, true])
    assert.equal((await operate('POST', '/revocations', { before: NOW + 40 })).status, 200)
    assert.deepEqual([await isActive(others), await isActive(later)], [false, true])
    await operate('POST', '/revocations', { client_id: 'test-client', before: NOW - 50 })
    assert.equal(await isActive(mine), false)
    await operate('POST', '/revocations', {})
    assert.equal(await isActive(later), false)
  })

  test('allows for clocks that differ: a token of a server whose clock is ahead is denied as well', async () => {
    const { grant, isActive, operate, state, app, keyring } = await createRevocable()
    const tokens = []
    for (const ahead of [1, 29, 30, 31]) {
      state.now = NOW + ahead
      tokens.push(await grant())
    }
    state.now = NOW
    await operate('POST', '/revocations', { client_id: 'test-client' })
    const listed = (await listOf(app, keyring, NOW)).client_hashes[await hashClientId('test-client')]
    state.now = NOW + 31
    for (const token of tokens) {
      const isDenied = (decodeJwt(token).iat ?? 0) <= NOW + SKEW
      assert.deepEqual([await isActive(token), (decodeJwt(token).iat ?? 0) <= Number(listed)], [!isDenied, isDenied])
    }
  })

  test('for an instant so long ago that its tokens have expired, answers 200 and stores nothing', async () => {
    const { operate, grant, isActive, ledger } = await createRevocable()
    const token = await grant()
    for (const before of [1, NOW - 31 * 86_400, NOW - 86_400]) {
      assert.equal((await operate('POST', '/revocations', { before })).status, 200)
    }
    assert.equal(await isActive(token), true)
    assert.deepEqual(await levelsOf(ledger, 'cut'), [{ key: 'cut:all', value: NOW - 86_400 + SKEW }])
  })

  test('keeps a denial longer than the current lifetime, because an earlier setting may have been longer', async () => {
    const before = await createRevocable({ accessTokenLifetime: 30 * 86_400 })
    const token = await before.grant()
    const { operate, isActive, state } = await createRevocable({ ...before, accessTokenLifetime: 2 }, before.state)
    await operate('POST', '/revocations', { client_id: 'test-client' })
    for (const after of [1, 64, 86_400, 30 * 86_400 - 1]) {
      state.now = NOW + after
      assert.equal(await isActive(token), false, `after ${after} s`)
    }
  })

  test('of concurrent cuts, the latest instant is kept', async () => {
    const { ledger, operate, isActive, grant, state } = await createRevocable()
    state.now = NOW + 20
    const token = await grant()
    state.now = NOW + 40
    await Promise.all(
      [30, 5, 20, 10].map((seconds) =>
        operate('POST', '/revocations', { client_id: 'test-client', before: NOW + seconds }),
      ),
    )
    const key = `cut:${await hashClientId('test-client')}`
    assert.deepEqual(await levelsOf(ledger, 'cut'), [{ key, value: NOW + 30 + SKEW }])
    assert.equal(await isActive(token), false)
  })

  test('accepts cuts only from an operator, not in the future, and only for a valid client_id', async () => {
    const { operate, app, events } = await world
    const headers = { 'Content-Type': 'application/json' }
    assert.equal((await app.request(`${ISSUER}/revocations`, { method: 'POST', headers, body: '{}' })).status, 401)
    for (const body of [
      { before: NOW + 1 },
      { before: 'now' },
      { before: 0 },
      { before: 1e300 },
      { client_id: 7 },
      { client_id: '' },
      { client_id: 'x'.repeat(257) },
      { client_id: '\u2217' },
      { client_id: null },
    ]) {
      assert.equal((await operate('POST', '/revocations', body)).status, 400, JSON.stringify(body))
      const event = events.at(-1)
      assert.ok(event?.event === 'request_refused' && event.reason === 'cut_malformed')
    }
  })
})

describe('a client that is disabled or deleted', () => {
  const endings = [
    ['disabled', 'PUT', { disabled: true }],
    ['deleted', 'DELETE', undefined],
  ] as const

  for (const [name, method, body] of endings) {
    test(`${name}: its tokens are denied at once, including those issued from another process' cache, also offline`, async () => {
      const here = await createRevocable()
      const { state, keyring, operate } = here
      const elsewhere = await createRevocable({ ...here, accessTokenLifetime: 86_400 }, state)
      const before = await elsewhere.grant()
      assert.equal((await operate(method, '/register/test-client', body)).status, method === 'PUT' ? 200 : 204)
      state.now = NOW + 2
      const issuedFromCache = await elsewhere.grant()
      assert.ok(issuedFromCache.includes('.'))
      const { client_hashes } = await listOf(here.app, keyring, state.now)
      const listed = Number(client_hashes[await hashClientId('test-client')])
      // Fresh for 30 seconds, served stale for 300 while the registry fails, and the skew of the clocks.
      assert.equal(listed, NOW + 30 + 300 + SKEW)
      for (const at of [NOW + 2, NOW + 34, NOW + 3600]) {
        state.now = at
        for (const each of [here, elsewhere]) {
          assert.deepEqual([await each.isActive(before), await each.isActive(issuedFromCache)], [false, false])
        }
      }
    })
  }

  test('does not get its tokens back when it returns; tokens issued after the denial has passed are active', async () => {
    const { grant, isActive, operate, state } = await createRevocable()
    await operate('PUT', '/register/c', { ...(await hashes()), resources: [RS] })
    const first = await grant({ resource: RS }, 'c')
    assert.equal(await isActive(first), true)
    await operate('PUT', '/register/c', { disabled: true })
    await operate('PUT', '/register/c', { disabled: false, resources: [RS] })
    assert.equal(await isActive(first), false)
    state.now = NOW + 361
    const second = await grant({ resource: RS }, 'c')
    assert.deepEqual([await isActive(first), await isActive(second)], [false, true])
    await operate('DELETE', '/register/c')
    assert.equal(await isActive(second), false)
  })

  test('an operator who deletes a client that is gone denies its tokens once more, for the first DELETE may have failed', async () => {
    const { operate, app, keyring, state } = await createRevocable()
    assert.equal((await operate('DELETE', '/register/test-client')).status, 204)
    const hashed = await hashClientId('test-client')
    const first = Number((await listOf(app, keyring, NOW)).client_hashes[hashed])
    state.now = NOW + 100
    assert.equal((await operate('DELETE', '/register/test-client')).status, 404)
    assert.equal((await listOf(app, keyring, state.now)).client_hashes[hashed], first + 100)
    const response = await app.request(`${ISSUER}/register/test-client`, {
      method: 'DELETE',
      headers: { Authorization: 'Bearer nobody' },
    })
    assert.equal(response.status, 401)
  })

  test('a DELETE that fails at any step leaves no live token and can be repeated', async () => {
    for (const half of ['ledger', 'registry'] as const) {
      const stores = memoryStores(() => NOW)
      let fails = false
      const failing =
        <A extends unknown[], R>(work: (...values: A) => Promise<R>) =>
        async (...values: A): Promise<R> => {
          if (fails) throw new Error('away')
          return work(...values)
        }
      const broken = {
        ledger: { ...stores.ledger, ...(half === 'ledger' && { raise: failing(stores.ledger.raise) }) },
        registry: {
          ...stores.registry,
          ...(half === 'registry' && { delete: failing(stores.registry.delete) }),
        },
      }
      const { grant, isActive, operate } = await createRevocable(broken)
      const token = await grant()
      fails = true
      assert.equal((await operate('DELETE', '/register/test-client')).status, 503)
      assert.equal(await isActive(token), half === 'ledger', 'denied, or the client is still there to be deleted')
      fails = false
      assert.equal((await operate('DELETE', '/register/test-client')).status, 204)
      assert.equal(await isActive(token), false)
    }
  })
})

/** Verifies the list as a resource server does. */
async function listOf(
  app: { request(url: string): Response | Promise<Response> },
  keyring: Awaited<typeof world>['keyring'],
  now: number,
) {
  const response = await app.request(`${ISSUER}/revocations`)
  assert.equal(response.headers.get('Content-Type'), 'application/jwt')
  assert.equal(response.headers.get('Cache-Control'), 'public, max-age=30')
  const keys = createLocalJWKSet({ keys: [...keyring.at(NOW).published.keys] })
  const options = { issuer: ISSUER, typ: 'revocations+jwt', currentDate: new Date(now * 1000) }
  const { payload } = await jwtVerify(await textOf(response), keys, options)
  return payload as JWTPayload & { revoked: string[]; client_hashes: Record<string, number>; all: number }
}

describe('GET /revocations', () => {
  test('is a signed list of current denials, made again after 30 seconds', async () => {
    const { app, grant, revoke, operate, keyring, state } = await createRevocable()
    const nothing = { revoked: [], client_hashes: {}, all: 0 }
    assert.deepEqual(await listOf(app, keyring, NOW), { iss: ISSUER, iat: NOW, exp: NOW + 300, ...nothing })
    const token = await grant()
    await revoke(token)
    await operate('POST', '/revocations', { client_id: 'a', before: NOW })
    await operate('POST', '/revocations', { before: NOW - 5 })
    state.now = NOW + 29
    assert.deepEqual((await listOf(app, keyring, state.now)).revoked, [])
    state.now = NOW + 30
    const { revoked, client_hashes, all } = await listOf(app, keyring, state.now)
    const cuts = { [await hashClientId('a')]: NOW + SKEW }
    assert.deepEqual([revoked, client_hashes, all], [[decodeJwt(token).jti], cuts, NOW - 5 + SKEW])
    state.now = NOW + 2000
    assert.deepEqual((await listOf(app, keyring, state.now)).revoked, [])
    state.now = NOW
    assert.equal((await listOf(app, keyring, NOW)).iat, NOW, 'a clock that was set back does not make a list last')
  })

  test('names no client', async () => {
    const { app, operate } = await createRevocable()
    await operate('POST', '/revocations', { client_id: 'test-client' })
    const [, claims = ''] = (await textOf(await app.request(`${ISSUER}/revocations`))).split('.')
    assert.ok(!atob(claims.replaceAll('-', '+').replaceAll('_', '/')).includes('test-client'))
    // From `printf test-client | openssl dgst -sha256 -binary | basenc --base64url`
    assert.equal(await hashClientId('test-client'), '1f6CUTGWypd9gWYJK5pH3CfOgKk90W9mgPIRHvcDwmg')
  })

  test('is made once for all callers, has an entity tag, and is 304 to callers that have it', async () => {
    const counted = countLists()
    const { app, state } = await createRevocable({ ledger: counted.ledger })
    const all = await Promise.all(Array.from({ length: 20 }, () => app.request(`${ISSUER}/revocations`)))
    const [ETag = ''] = new Set(all.map((response) => response.headers.get('ETag') ?? ''))
    assert.match(ETag, /^"[\w-]{22}"$/)
    const again = await app.request(`${ISSUER}/revocations`, { headers: { 'If-None-Match': ETag } })
    assert.deepEqual([again.status, await again.text(), again.headers.get('ETag')], [304, '', ETag])
    assert.equal(counted.lists(), 3, 'the families of one list')
    state.now = NOW + 30
    const changed = await app.request(`${ISSUER}/revocations`, { headers: { 'If-None-Match': ETag } })
    assert.deepEqual([changed.status, counted.lists()], [200, 6])
  })

  test('a failure is remembered for five seconds, because anyone may request the list', async () => {
    const counted = countLists()
    const { app, state, events } = await createRevocable({ ledger: counted.ledger })
    counted.fail(true)
    for (let index = 0; index < 50; index++) {
      const response = await app.request(`${ISSUER}/revocations`)
      assert.deepEqual([response.status, response.headers.get('Retry-After')], [503, '5'])
      const event = events.at(-1)
      assert.ok(event?.event === 'request_refused' && event.reason === 'store_failed')
    }
    assert.equal(counted.lists(), 1)
    counted.fail(false)
    state.now = NOW + 4
    assert.equal((await app.request(`${ISSUER}/revocations`)).status, 503)
    state.now = NOW + 5
    assert.equal((await app.request(`${ISSUER}/revocations`)).status, 200)
  })

  for (const family of ['revoked', 'cut']) {
    test(`is 503 and not an incomplete list when there are too many of ${family}`, async () => {
      for (const [length, status] of [
        [100_000, 200],
        [100_001, 503],
      ] as const) {
        const { ledger } = memoryStores(() => NOW)
        const many = Array.from({ length }, (_, index) => ({ key: `${family}:${index}`, value: 1 }))
        const list = async function* (asked: string) {
          yield asked === family ? many : []
        }
        const { app, events } = await createRevocable({ ledger: { ...ledger, list } })
        assert.equal((await app.request(`${ISSUER}/revocations`)).status, status)
        const event = events.at(-1)
        if (status === 503) assert.ok(event?.event === 'request_refused' && event.reason === 'revocations_too_many')
      }
    })
  }
})

/** A ledger that counts how often a family is listed, and fails on request. */
function countLists() {
  const { ledger } = memoryStores(() => NOW)
  const state = { lists: 0, fails: false }
  const list = async function* (family: string) {
    state.lists++
    if (state.fails) throw new Error('away')
    yield* ledger.list(family)
  }
  const fail = (fails: boolean) => {
    state.fails = fails
  }
  return { ledger: { ...ledger, list }, lists: () => state.lists, fail }
}
