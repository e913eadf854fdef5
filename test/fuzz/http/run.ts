/** Fuzzes a server as a process: generated requests, several at a time, each answer judged. */

import fc from 'fast-check'
import { type Runtime, serveOn } from '../../support/runtimes.ts'
import { CASES } from './cases.ts'
import { judge } from './judge.ts'
import { build, type Plan, plans } from './requests.ts'
import { type Answer, exchange } from './wire.ts'
import { createFuzzWorld, type FuzzWorld, SETTINGS } from './world.ts'

/** Requests that are on their way together. */
const TOGETHER = 8

/** The keys of an issuer may have to be fetched from a host that does not exist. */
const FETCH_MILLISECONDS = 8000

export interface Report {
  readonly requests: number
  /** How often each status was answered; `none` where the connection was closed. */
  readonly statuses: Readonly<Record<string, number>>
  readonly slowestMilliseconds: number
  /** Answers that took more than a second. */
  readonly slow: number
  readonly failures: readonly string[]
}

export interface Fuzzing {
  readonly seed: number
  /** Returns whether to go on after this many requests. */
  readonly goesOn: (requests: number) => boolean
  readonly limitMilliseconds: number
}

/** Fuzzes a runtime until `goesOn` ends it, or a request fails. */
export async function fuzzRuntime(runtime: Runtime, fuzzing: Fuzzing): Promise<Report> {
  const server = await serveOn(runtime, SETTINGS)
  const statuses: Record<string, number> = {}
  const failures: string[] = []
  let [requests, slowestMilliseconds, slow, seed] = [0, 0, 0, fuzzing.seed]
  try {
    const world = await createFuzzWorld(Number(new URL(server.origin).port))
    while (fuzzing.goesOn(requests) && failures.length === 0) {
      const kept = requests === 0 ? CASES.map((each) => ({ ...VALID, ...each })) : []
      const batch = [...kept, ...fc.sample(plans, { numRuns: TOGETHER, seed })]
      const answers = await Promise.allSettled(
        batch.map((plan) => request(plan, world, runtime, fuzzing.limitMilliseconds)),
      )
      for (const [index, answer] of answers.entries()) {
        requests++
        if (answer.status === 'rejected') {
          failures.push(`seed ${seed}, request ${index}: ${JSON.stringify(batch[index])}\n${answer.reason}`)
          continue
        }
        const { status = 'none', milliseconds } = answer.value
        statuses[status] = (statuses[status] ?? 0) + 1
        if (milliseconds > 1000) slow++
        slowestMilliseconds = Math.max(slowestMilliseconds, milliseconds)
      }
      seed++
    }
    await requireAlive(world, runtime, failures)
  } catch (error) {
    failures.push(`seed ${seed}: ${error}\n${server.output().slice(-2000)}`)
  } finally {
    await server.stop()
  }
  return { requests, statuses, slowestMilliseconds, slow, failures }
}

async function request(plan: Plan, world: FuzzWorld, runtime: Runtime, limitMilliseconds: number): Promise<Answer> {
  const built = await build(plan, world, runtime === 'workerd')
  const limit = built.path.startsWith('/issuers/') ? FETCH_MILLISECONDS : limitMilliseconds
  const answer = await exchange(world.port, built.octets, built.isWhole, limit)
  try {
    await judge(built, answer)
  } catch (error) {
    throw new Error(`${error}\n${built.octets.slice(0, 2000)}\n→ ${answer.status} ${answer.body.slice(0, 500)}`)
  }
  return answer
}

const VALID: Plan = {
  kind: 'form',
  path: '/token',
  verb: undefined,
  operation: 0,
  isOperator: false,
  method: 'basic',
  flaw: undefined,
  second: undefined,
  parameters: [],
  headers: [],
  framing: 'length',
  bodyEdits: [],
  wireEdits: [],
}

/** Adds a failure unless a client still gets its token in each way. */
async function requireAlive(world: FuzzWorld, runtime: Runtime, failures: string[]): Promise<void> {
  for (const method of ['basic', 'post', 'key', 'federated', 'spiffe', 'exchange'] as const) {
    const answer = await request({ ...VALID, method }, world, runtime, FETCH_MILLISECONDS)
    if (answer.status !== 200) failures.push(`${method} gets no token at the end: ${answer.status} ${answer.body}`)
  }
}
