import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { keyState, type Placed } from '../../src/keys/key_set.ts'
import { announceSeconds, overdueAlgorithms, type PlanOptions, plan } from '../../src/keys/rotation_plan.ts'

const NOW = 1_800_000_000
const DAY = 86_400
const MONTH: PlanOptions = { periodSeconds: 30 * DAY, keepSeconds: DAY + 1860, algorithms: ['ES256'] }

function next(keys: readonly Placed[], now: number, options: PlanOptions): readonly Placed[] {
  const planned = plan(keys, now, options)
  return planned === undefined ? keys : [...planned.kept, ...planned.made]
}

function signing(keys: readonly Placed[], now: number, { keepSeconds }: PlanOptions, alg = 'ES256') {
  return keys.find((key) => key.alg === alg && keyState(key, keys, now, keepSeconds) === 'signing')
}

describe('the plan of a rotation', () => {
  const starts = (keys: readonly Placed[], now: number, options = MONTH) =>
    (plan(keys, now, options)?.made ?? []).map(({ signsFrom }) => signsFrom - NOW)
  const first = { alg: 'ES256', signsFrom: NOW }

  test('the first key signs at once, and its successor a period later', () => {
    assert.deepEqual(starts([], NOW), [0, 30 * DAY])
  })

  test('next to keys of SIGNING_KEYS the first key is announced, and alone', () => {
    assert.deepEqual(starts([], NOW, { ...MONTH, isSecond: true }), [DAY])
  })

  test('nothing is due while the newest key is announced', () => {
    assert.equal(plan([first, { alg: 'ES256', signsFrom: NOW + DAY }], NOW + DAY - 1, MONTH), undefined)
  })

  test('a key that begins to sign is followed by another, a period after its start', () => {
    assert.deepEqual(starts([first], NOW), [30 * DAY])
    assert.deepEqual(starts([first], NOW + 3600), [30 * DAY])
  })

  test('an overdue key is announced like any other', () => {
    assert.deepEqual(starts([first], NOW + 29.5 * DAY), [30.5 * DAY])
    assert.deepEqual(starts([first], NOW + 300 * DAY), [301 * DAY])
  })

  test('another algorithm is announced, not used at once', () => {
    const both = { ...MONTH, algorithms: ['EdDSA', 'ES256'] }
    const keys = [first, { alg: 'ES256', signsFrom: NOW + 30 * DAY }]
    assert.deepEqual(plan(keys, NOW + 1, both)?.made, [{ alg: 'EdDSA', signsFrom: NOW + 1 + DAY }])
  })

  test('switched off, no keys are made, and those that have expired go', () => {
    const off = { ...MONTH, periodSeconds: undefined }
    assert.equal(plan([], NOW, off), undefined)
    assert.equal(plan([first], NOW + 999 * DAY, off), undefined)
    const second = { alg: 'ES256', signsFrom: NOW + DAY }
    assert.deepEqual(plan([first, second], NOW + DAY + off.keepSeconds + 1, off), { kept: [second], made: [] })
    assert.deepEqual(overdueAlgorithms([first], NOW + 999 * DAY, off), [])
  })

  test('is overdue when the newest key has signed for a period', () => {
    assert.deepEqual(overdueAlgorithms([first], NOW + 30 * DAY - 1, MONTH), [])
    assert.deepEqual(overdueAlgorithms([first], NOW + 30 * DAY, MONTH), ['ES256'])
  })
})

describe('every plan', () => {
  /** The instants at which some process looks, in any rhythm, with long pauses. */
  const looks = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4000 })), {
    minLength: 1,
    maxLength: 60,
  })
  const settings = fc.record({
    periodSeconds: fc.integer({ min: 4, max: 500 }),
    lifetime: fc.integer({ min: 1, max: 300 }),
    algorithms: fc.subarray(['ES256', 'RS256', 'EdDSA'], { minLength: 1 }),
    isSecond: fc.boolean(),
  })

  function run(steps: readonly number[], options: PlanOptions, see: (keys: readonly Placed[], now: number) => void) {
    let [keys, now]: [readonly Placed[], number] = [[], NOW]
    for (const step of steps) {
      keys = next(keys, now, options)
      see(keys, now)
      now += step
    }
  }

  test('settles: what it returns needs nothing more', () => {
    fc.assert(
      fc.property(looks, settings, (steps, { lifetime, ...rest }) => {
        const options = { ...rest, keepSeconds: lifetime + Math.min(rest.periodSeconds, DAY) + 60 }
        run(steps, options, (keys, now) => assert.equal(plan(keys, now, options), undefined))
      }),
    )
  })

  test('never leaves an algorithm without a key, and announces each long enough', () => {
    fc.assert(
      fc.property(looks, settings, (steps, { lifetime, ...rest }) => {
        const options = { ...rest, keepSeconds: lifetime + Math.min(rest.periodSeconds, DAY) + 60 }
        let before: readonly Placed[] = []
        run(steps, options, (keys, now) => {
          for (const alg of options.algorithms) {
            if (!options.isSecond) assert.ok(signing(keys, now, options, alg))
            assert.ok(keys.some((key) => key.alg === alg && key.signsFrom > now))
          }
          for (const key of keys.filter((each) => !before.includes(each)))
            if (before.length > 0) assert.ok(key.signsFrom >= now + announceSeconds(options.periodSeconds))
          before = keys
        })
      }),
    )
  })

  test('publishes every key until the last token that it signed has expired', () => {
    fc.assert(
      fc.property(looks, settings, (steps, { lifetime, ...rest }) => {
        const options = { ...rest, keepSeconds: lifetime + Math.min(rest.periodSeconds, DAY) + 60 }
        const [alg = ''] = options.algorithms
        const used = new Map<number, number>()
        run(steps, options, (keys, now) => {
          for (const [signsFrom, until] of used)
            if (now <= until) assert.ok(keys.some((key) => key.alg === alg && key.signsFrom === signsFrom))
          const key = signing(keys, now, options, alg)
          if (key !== undefined) used.set(key.signsFrom, now + lifetime)
        })
      }),
    )
  })

  test('makes one key a period while some process looks often enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 400 }), fc.integer({ min: 1, max: 20 }), (periodSeconds, periods) => {
        const options = { periodSeconds, keepSeconds: periodSeconds, algorithms: ['ES256'] }
        const made = new Set<number>()
        const steps = Array.from({ length: periods * periodSeconds }, () => 1)
        run(steps, options, (keys) => {
          for (const { signsFrom } of keys) made.add(signsFrom - NOW)
        })
        assert.deepEqual(
          [...made],
          Array.from({ length: periods + 1 }, (_, index) => index * periodSeconds),
        )
      }),
    )
  })
})
