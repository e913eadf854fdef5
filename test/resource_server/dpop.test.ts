import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Claimed } from '../../src/resource_server.ts'
import { API, createGuarded, type Guarded, JKT, type ProofMaking, proveTo } from '../support/guarded.ts'
import { NOW } from '../support/world.ts'

async function send({ guard }: Guarded, token: string, proof: string, demands = {}) {
  return guard(new Request(API, { headers: { Authorization: `DPoP ${token}`, DPoP: proof } }), demands)
}
const statusOf = (result: unknown): number => (result instanceof Response ? result.status : 200)
const reasonOf = ({ events }: Guarded): string | undefined => {
  const event = events.at(-1)
  return event?.event === 'request_refused' ? event.reason : undefined
}
const bound = { claims: { cnf: { jkt: JKT }, exp: NOW + 10_000 } }

describe('a DPoP proof to an API', () => {
  test('is accepted once, also of many at the same time', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(bound)
    const proof = await proveTo(token)
    const results = await Promise.all(Array.from({ length: 20 }, () => send(guarded, token, proof)))
    assert.deepEqual(results.map(statusOf).sort(), [200, ...Array.from({ length: 19 }, () => 401)])
    assert.equal(reasonOf(guarded), 'dpop_replayed')
  })

  test('that is refused for another reason can be used again', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(bound)
    const proof = await proveTo(token)
    assert.equal(statusOf(await send(guarded, token, proof, { scope: 'admin' })), 403)
    assert.equal(statusOf(await send(guarded, token, proof)), 200)
  })

  test('is remembered for as long as it would be accepted', async () => {
    const guarded = await createGuarded()
    const token = await guarded.sign(bound)
    const proof = await proveTo(token, { claims: { iat: NOW + 30 } })
    assert.equal(statusOf(await send(guarded, token, proof)), 200)
    guarded.world.state.now = NOW + 119
    await send(guarded, token, await proveTo(token, { claims: { iat: NOW + 119 } }))
    assert.equal(statusOf(await send(guarded, token, proof)), 401)
    assert.equal(reasonOf(guarded), 'dpop_replayed')
    guarded.world.state.now = NOW + 120
    assert.equal(statusOf(await send(guarded, token, proof)), 401)
    assert.equal(reasonOf(guarded), 'dpop_iat_wrong')
  })

  test('is claimed where the owner of the API says', async () => {
    const asked: unknown[] = []
    const claimed: Claimed[] = ['first', 'repeated', 'full']
    const claim = async (...all: unknown[]) => {
      asked.push(all)
      return claimed[asked.length - 1] ?? 'first'
    }
    const guarded = await createGuarded({ dpop: { claim } })
    const token = await guarded.sign(bound)
    const statuses: number[] = []
    for (const jti of ['a', 'b', 'c']) {
      statuses.push(statusOf(await send(guarded, token, await proveTo(token, { claims: { jti } }))))
    }
    assert.deepEqual(statuses, [200, 401, 503])
    assert.equal(reasonOf(guarded), 'replays_too_many')
    assert.deepEqual(asked[0], [['dpop', JKT, 'a'], NOW + 90, JKT])
  })
})

describe('a request whose URL is none', () => {
  for (const dpop of [{}, { origin: 'https://api.example.com' }]) {
    test(`has no proof that is for it, ${JSON.stringify(dpop)}`, async () => {
      const guarded = await createGuarded({ dpop })
      const token = await guarded.sign(bound)
      for (const url of ['*', 'https://a b/reports', '/reports']) {
        for (const htu of [url, '/reports', '', 'x']) {
          const proof = await proveTo(token, { claims: { htu } })
          const headers = new Headers({ Authorization: `DPoP ${token}`, DPoP: proof })
          assert.equal(statusOf(await guarded.guard({ method: 'GET', url, headers })), 401)
          assert.equal(reasonOf(guarded), 'dpop_htu_wrong')
        }
      }
    })
  }
})

describe('nonces of an API', () => {
  const nonceSecret = 'a secret of the API, shared by its processes'
  const prove = (token: string, making?: ProofMaking) => proveTo(token, making)

  test('are asked for, accepted from every process, and sent with each response', async () => {
    const [one, other] = [
      await createGuarded({ dpop: { nonceSecret } }),
      await createGuarded({ dpop: { nonceSecret } }),
    ]
    const token = await one.sign(bound)
    const first = await send(one, token, await prove(token))
    assert.ok(first instanceof Response)
    assert.match(first.headers.get('WWW-Authenticate') ?? '', /^DPoP error="use_dpop_nonce"/)
    const nonce = first.headers.get('DPoP-Nonce')
    assert.ok(nonce)
    const second = await send(other, token, await prove(token, { claims: { nonce } }))
    assert.ok(!(second instanceof Response))
    assert.deepEqual(second.responseHeaders, { 'DPoP-Nonce': nonce })
    const third = await send(one, token, await prove(token, { claims: { nonce } }), { scope: 'admin' })
    assert.ok(third instanceof Response)
    assert.deepEqual([third.status, third.headers.get('DPoP-Nonce')], [403, nonce])
  })

  test('are of no use after two minutes, or to another API', async () => {
    const [one, other] = [
      await createGuarded({ dpop: { nonceSecret } }),
      await createGuarded({ dpop: { nonceSecret: `${nonceSecret}!` } }),
    ]
    const token = await one.sign(bound)
    const refused = await send(one, token, await prove(token))
    const nonce = refused instanceof Response ? refused.headers.get('DPoP-Nonce') : undefined
    assert.equal(statusOf(await send(other, token, await prove(token, { claims: { nonce } }))), 401)
    assert.equal(reasonOf(other), 'dpop_nonce_wrong')
    one.world.state.now = NOW + 120
    assert.equal(statusOf(await send(one, token, await prove(token, { claims: { nonce, iat: NOW + 120 } }))), 401)
    assert.equal(reasonOf(one), 'dpop_nonce_wrong')
  })
})
