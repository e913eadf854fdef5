import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { type Fault, type Plan, seededPlan } from './support/faulty_stores.ts'
import { createFaultyWorld, introspect, onceByAssertion, onceByProof, requestToken } from './support/faulty_world.ts'

const SEED = 22
const ROUNDS = 40

describe('a server whose stores lie', () => {
  const on =
    (store: string, name: string, fault: Fault): Plan =>
    (operation) =>
      operation.store === store && operation.name === name ? fault : undefined

  for (const fault of ['other', 'garbled'] as const) {
    test(`${fault}: a record that is not the client's authenticates nobody`, async () => {
      const world = await createFaultyWorld()
      world.stores.follow(on('registry', 'get', fault))
      for (const client_id of ['other', 'keyed', 'reporting']) {
        assert.equal((await requestToken(world, { client_id })).status, 503, client_id)
      }
      world.stores.follow()
      assert.equal((await requestToken(world)).status, 200)
    })
  }

  test('an answer that is not `true` claims nothing that is good once', async () => {
    for (const make of [onceByAssertion, onceByProof]) {
      const world = await createFaultyWorld()
      const send = await make(world)
      world.stores.follow(on('ledger', 'add', 'garbled'))
      assert.notEqual((await send()).status, 200)
    }
  })

  test('a denial that cannot be read denies', async () => {
    const world = await createFaultyWorld()
    const token = String((await requestToken(world)).body['access_token'])
    world.stores.follow((operation) => (operation.key.startsWith('cut:') ? 'garbled' : undefined))
    assert.equal((await introspect(world, token)).body['active'], false)
  })

  test(`seed ${SEED}: an old record never makes a wrong secret right, or a refusal an error of the server`, async () => {
    const world = await createFaultyWorld()
    world.stores.follow(seededPlan(SEED, { old: 0.3, other: 0.2, garbled: 0.2, lose: 0.1 }))
    for (let round = 0; round < ROUNDS; round++) {
      const client_secret = `wrong-${round}`
      assert.ok([401, 503].includes((await requestToken(world, { client_secret })).status))
    }
  })
})
