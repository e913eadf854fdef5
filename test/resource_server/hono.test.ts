import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import { type GuardEnv, honoGuard } from '../../src/resource_server.ts'
import { API, createGuarded, JKT, proveTo } from '../support/guarded.ts'

describe('the Hono middleware', () => {
  test('lets a request pass with its token, and answers others', async () => {
    const { guard, sign } = await createGuarded({
      dpop: { nonceSecret: 'a secret of the API, shared by its processes' },
    })
    const app = new Hono<GuardEnv>().get('/reports', honoGuard(guard, { scope: 'read' }), (c) =>
      c.text(c.get('token').subject),
    )
    const send = (headers: HeadersInit) => app.request(API, { headers })
    const good = await send({ Authorization: `Bearer ${await sign()}` })
    assert.deepEqual([good.status, await good.text()], [200, 'reporting'])
    assert.equal((await send({})).status, 401)
    assert.equal((await send({ Authorization: `Bearer ${await sign({ claims: { scope: 'write' } })}` })).status, 403)
    const token = await sign({ claims: { cnf: { jkt: JKT } } })
    const asked = await send({ Authorization: `DPoP ${token}`, DPoP: await proveTo(token) })
    const nonce = asked.headers.get('DPoP-Nonce')
    const proof = await proveTo(token, { claims: { nonce } })
    const bound = await send({ Authorization: `DPoP ${token}`, DPoP: proof })
    assert.deepEqual([bound.status, bound.headers.get('DPoP-Nonce')], [200, nonce])
  })

  test('keeps a Worker alive for what is fetched after the response', async () => {
    const { guard, sign, world } = await createGuarded()
    const app = new Hono<GuardEnv>().get('/reports', honoGuard(guard), (c) => c.text('in'))
    const work: Promise<unknown>[] = []
    const context = { waitUntil: (each: Promise<unknown>) => work.push(each), passThroughOnException: () => {} }
    const headers = { Authorization: `Bearer ${await sign({ claims: { exp: world.state.now + 1000 } })}` }
    const send = () => app.request(API, { headers }, {}, context as never)
    await send()
    world.state.now += 300
    assert.equal((await send()).status, 200)
    assert.equal(work.length, 1)
    await Promise.all(work)
  })
})
