import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { replayMemory } from '../../src/resource_server.ts'
import { createGuarded, JKT, proveTo } from '../support/guarded.ts'
import { RS } from '../support/revocable.ts'
import { NOW } from '../support/world.ts'

const LIFETIME_SECONDS = 90

describe('the memory of proofs', () => {
  test('takes no proof while it is full, and forgets those that have expired', async () => {
    const state = { now: NOW }
    const claim = replayMemory(() => state.now, 3)
    for (const jti of ['a', 'b', 'c']) assert.equal(await claim([jti], NOW + 90, jti), 'first')
    assert.equal(await claim(['d'], NOW + 90, 'd'), 'full')
    assert.equal(await claim(['a'], NOW + 90, 'a'), 'repeated')
    state.now = NOW + 90
    assert.equal(await claim(['d'], NOW + 180, 'd'), 'first')
    assert.equal(await claim(['a'], NOW + 180, 'a'), 'first')
  })

  test('keeps apart what differs', async () => {
    const claim = replayMemory(() => NOW)
    assert.equal(await claim(['a', 'b'], NOW + 90, 'k'), 'first')
    assert.equal(await claim(['a,b'], NOW + 90, 'k'), 'first')
    assert.equal(await claim(['ab', ''], NOW + 90, 'k'), 'first')
  })

  test('lets one key fill a fifth of it, and ten keys all but a tenth', async () => {
    const claim = replayMemory(() => NOW, 10_000)
    /** Returns how many proofs of a key are taken. */
    const flood = async (key: string): Promise<number> => {
      for (let taken = 0; ; taken++) if ((await claim([key, `${taken}`], NOW + 90, key)) === 'full') return taken
    }
    assert.equal(await flood('0'), 2000)
    let held = 2000
    for (let key = 1; key < 10; key++) held += await flood(`${key}`)
    assert.ok(held < 9000, `${held} of 10,000`)
    assert.ok((await flood('late')) > 200)
  })

  test('takes the proofs of a key again when its old ones have expired', async () => {
    const state = { now: NOW }
    const claim = replayMemory(() => state.now, 10)
    assert.equal(await claim(['a'], NOW + 90, 'k'), 'first')
    assert.equal(await claim(['b'], NOW + 91, 'k'), 'first')
    assert.equal(await claim(['c'], NOW + 91, 'k'), 'full')
    state.now = NOW + 90
    assert.equal(await claim(['c'], NOW + 180, 'k'), 'first')
    assert.equal(await claim(['d'], NOW + 180, 'k'), 'full')
  })
})

interface Step {
  readonly key: number
  /** Few, so that some are repeated. */
  readonly jti: number
  readonly seconds: number
}

/** Live proofs of a memory as it should be: when each expires. */
type Model = Map<string, { readonly key: number; readonly expiresAt: number }>

const maxProofs = 40
const steps = fc.array(
  fc.record<Step>({
    // One key in two sends nine in ten.
    key: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }) }),
    jti: fc.nat(60),
    seconds: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(60) }),
  }),
  { maxLength: 300, size: 'max' },
)

describe('the memory of proofs, whoever sends what and when,', () => {
  test('takes each proof once, keeps its bound, and leaves each key its share', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const live: Model = new Map()
        let now = NOW
        const claim = replayMemory(() => now, maxProofs)
        for (const { key, jti, seconds } of all) {
          now += seconds
          for (const [name, { expiresAt }] of live) if (expiresAt <= now) live.delete(name)
          const name = `${key} ${jti}`
          const held = [...live.values()].filter((each) => each.key === key).length
          const claimed = await claim([`${key}`, `${jti}`], now + LIFETIME_SECONDS, `${key}`)
          assert.equal(claimed === 'repeated', live.has(name))
          if (claimed === 'full') assert.ok(held >= (maxProofs - live.size) / 4, `${held} of ${live.size}`)
          if (claimed === 'first') live.set(name, { key, expiresAt: now + LIFETIME_SECONDS })
          const keys = new Set([...live.values()].map((each) => each.key)).size
          // Each proof is one place, so a key can hold up to one more than its share.
          const left = (maxProofs + 4) * 0.8 ** keys - 4
          assert.ok(maxProofs - live.size >= left, `${live.size} of ${keys} keys`)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('an API whose memory one client fills', () => {
  test('refuses further proofs of that client with 503, and takes those of others', async () => {
    const guarded = await createGuarded({ dpop: { claim: replayMemory(() => NOW, 5) } })
    const token = await guarded.sign({ claims: { cnf: { jkt: JKT } } })
    const send = async (): Promise<number> => {
      const headers = { Authorization: `DPoP ${token}`, DPoP: await proveTo(token, { claims: { htu: RS } }) }
      const result = await guarded.guard(new Request(RS, { headers }))
      return result instanceof Response ? result.status : 200
    }
    assert.deepEqual([await send(), await send()], [200, 503])
    const [event] = guarded.events
    assert.ok(event?.event === 'request_refused')
    assert.deepEqual([event.reason, event.client_id], ['replays_too_many', 'reporting'])
  })
})
