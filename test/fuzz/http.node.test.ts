import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { RUNTIMES } from '../support/runtimes.ts'
import { fuzzRuntime } from './http/run.ts'

/** At each runtime; `npm run fuzz` sends more. */
const REQUESTS = 400
const SEED = 20_261_130

/** For a server that hangs, not for one that is slow: test machines are busy. */
const LIMIT_MILLISECONDS = 30_000

describe('a server never answers 500, hangs or issues a token that its request does not prove', () => {
  for (const runtime of RUNTIMES) {
    test(runtime, async () => {
      const goesOn = (requests: number) => requests < REQUESTS
      const report = await fuzzRuntime(runtime, { seed: SEED, goesOn, limitMilliseconds: LIMIT_MILLISECONDS })
      assert.deepEqual(report.failures, [])
      for (const status of [200, 400, 401]) assert.ok((report.statuses[status] ?? 0) > 0, `no ${status}`)
    })
  }
})
