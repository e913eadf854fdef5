import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { Chances, Fault, Plan } from './support/faulty_stores.ts'
import { random, seededPlan } from './support/faulty_stores.ts'
import {
  type Answer,
  createFaultyWorld,
  everyEndpoint,
  type FaultyWorld,
  introspect,
  onceByAssertion,
  onceByProof,
  prepareRound,
  requestToken,
  revoke,
  type Send,
} from './support/faulty_world.ts'

const SEED = 22
const ROUNDS = 15

/** What a store does to a server that loses its connection now and then. */
const BROKEN: Chances = { slow: 0.1, fail: 0.2, lose: 0.2 }

const tokenOf = ({ body }: Answer): string => String(body['access_token'])

/** Asserts that a refusal is the failure of a store, said as it is; returns whether it was refused. */
function isOutage(name: string, { status, headers, body }: Answer): boolean {
  if (status !== 503) return false
  // The probe of a balancer has a text for a body.
  if (name === 'readiness') return true
  assert.equal(body['error'], 'temporarily_unavailable', name)
  assert.ok(Number(headers.get('Retry-After')) > 0, `${name}: Retry-After`)
  return true
}

/** What each endpoint answers while nothing is wrong. */
async function healthyAnswers(world: FaultyWorld, round: number): Promise<Map<string, number>> {
  const answers = new Map<string, number>()
  await prepareRound(world, round)
  const token = tokenOf(await requestToken(world))
  for (const [name, send] of await everyEndpoint(world, round, token)) answers.set(name, (await send()).status)
  return answers
}

/** Sends one request to each endpoint while a plan is followed; returns those that were refused. */
async function sendAll(world: FaultyWorld, round: number, plan: Plan): Promise<readonly string[]> {
  const expected = await healthyAnswers(world, round)
  // The list is kept for thirty seconds, the readiness for five.
  world.state.now += 30
  await prepareRound(world, round + 0.5)
  const token = tokenOf(await requestToken(world))
  const requests = await everyEndpoint(world, round + 0.5, token)
  world.stores.follow(plan)
  const refused: string[] = []
  await Promise.all(
    [...requests].map(async ([name, send]) => {
      const answer = await send()
      if (isOutage(name, answer)) refused.push(name)
      else assert.equal(answer.status, expected.get(name), name)
    }),
  )
  world.stores.follow()
  // A failure is remembered for five seconds by both.
  world.state.now += 5
  return refused
}

describe('a server whose stores fail', () => {
  const NEED_NO_STORE = ['liveness', 'page', 'keys', 'metadata', 'openapi']

  for (const fault of ['fail', 'hang', 'lose', 'mute'] as const) {
    test(`${fault}: every endpoint that needs a store answers 503, and each answers as before when it is back`, async () => {
      const world = await createFaultyWorld()
      const refused = await sendAll(world, 1, () => fault)
      const names = [...(await everyEndpoint(world, 1, '')).keys()]
      // A client that was read before is served from memory, so a request by a secret alone succeeds.
      const served = [...NEED_NO_STORE, 'token']
      assert.deepEqual([...refused].sort(), names.filter((name) => !served.includes(name)).sort())
      assert.deepEqual(await healthyAnswers(world, 2), await healthyAnswers(await createFaultyWorld(), 2))
    })
  }

  test('a store that is slow changes no answer', async () => {
    assert.deepEqual(await sendAll(await createFaultyWorld(), 1, () => 'slow'), [])
  })

  test(`seed ${SEED}: each of many requests gets 503 or the right answer, and none is an error of the server`, async () => {
    const world = await createFaultyWorld()
    const plan = seededPlan(SEED, BROKEN)
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) refused += (await sendAll(world, round, plan)).length
    assert.ok(refused > ROUNDS, `${refused} refused`)
    const reasons = new Set(world.events.flatMap((event) => (event.event === 'request_refused' ? event.reason : [])))
    assert.deepEqual([...reasons], ['store_failed'])
    for (const fault of ['slow', 'fail', 'lose'] as const) assert.ok((world.stores.happened.get(fault) ?? 0) > 0)
  })
})

describe('a server whose stores lose answers', () => {
  const once: readonly (readonly [string, (world: FaultyWorld) => Promise<Send>])[] = [
    ['a client assertion', onceByAssertion],
    ['a DPoP proof', onceByProof],
  ]
  for (const [name, make] of once) {
    test(`seed ${SEED}: accepts ${name} at most once, however often it is sent`, async () => {
      const world = await createFaultyWorld()
      world.stores.follow(seededPlan(SEED, BROKEN))
      let accepted = 0
      for (let round = 0; round < ROUNDS; round++) {
        const send = await make(world)
        const statuses: number[] = []
        for (let time = 0; time < 6; time++) statuses.push((await send()).status)
        const good = statuses.filter((status) => status === 200).length
        assert.ok(good <= 1, statuses.join(' '))
        accepted += good
      }
      assert.ok(accepted > 0)
    })
  }

  test(`seed ${SEED}: a token whose revocation was confirmed is never active`, async () => {
    const world = await createFaultyWorld()
    const plan = seededPlan(SEED, BROKEN)
    for (let round = 0; round < ROUNDS; round++) {
      world.stores.follow()
      const token = tokenOf(await requestToken(world))
      world.stores.follow(plan)
      while ((await revoke(world, token)).status !== 200);
      for (let time = 0; time < 4; time++) {
        const { status, body } = await introspect(world, token)
        assert.ok(status === 503 || body['active'] === false, `${status}`)
      }
    }
  })

  test(`seed ${SEED}: a client whose end was confirmed gets no token, and one that was created gets one when the store is back`, async () => {
    const world = await createFaultyWorld()
    const plan = seededPlan(SEED, BROKEN)
    for (let round = 0; round < ROUNDS; round++) {
      const place = `/register/ended-${round}`
      world.stores.follow()
      const { body } = await world.operate('PUT', place, {})
      const as = { client_id: `ended-${round}`, client_secret: String(body['client_secret']) }
      assert.equal((await requestToken(world, as)).status, 200)
      world.stores.follow(plan)
      while (![204, 404].includes((await world.operate('DELETE', place)).status));
      for (let time = 0; time < 4; time++) assert.notEqual((await requestToken(world, as)).status, 200)
      world.stores.follow()
      assert.equal((await requestToken(world, as)).status, 401)
    }
  })
})

describe('seededPlan', () => {
  test('is the same for the same seed, and as likely as it says', () => {
    const plans = [1, 1, 2].map((seed) => seededPlan(seed, { fail: 0.25, lose: 0.5 }))
    const operation = { store: 'ledger', name: 'get', key: '' } as const
    const [first = [], second, third] = plans.map((plan) => Array.from({ length: 1000 }, () => plan(operation)))
    assert.deepEqual(first, second)
    assert.notDeepEqual(first, third)
    const share = (fault?: Fault) => Math.round((first.filter((each) => each === fault).length / 1000) * 20) / 20
    assert.deepEqual([share('fail'), share('lose'), share()], [0.25, 0.5, 0.25])
    assert.notEqual(random(1)(), random(2)())
  })
})
