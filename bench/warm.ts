/** Measures tokens per second of a warm server, and in the same run the rates of signatures alone and of a bare route. */

import type { Running } from '../test/support/process.ts'
import { measureCost } from './cost.ts'
import { load, type Target } from './load.ts'
import { type Pace, START_SECONDS } from './pace.ts'
import { type BenchRuntime, FLOOR, SERVER, start, usage } from './servers.ts'
import { median } from './table.ts'
import { type Algorithm, makeWorld } from './world.ts'

export interface Warm {
  readonly runtime: BenchRuntime
  readonly alg: Algorithm
  readonly tokensPerSecond: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly cpuMilliseconds: number
  readonly memoryMebibytes: number
  readonly signaturesPerSecond: number
  readonly routesPerSecond: number
  readonly routeP99Milliseconds: number
  /** Tokens per second, divided by the rate if a token cost exactly one signature and one bare route. */
  readonly shareOfIdeal: number
  /** CPU time of a bare route that computes one digest and one signature, divided by that of a token. */
  readonly shareOfLeast: number
}

/** Returns approximately how many seconds `measureWarm` takes. */
export function warmSeconds(pace: Pace): number {
  const round = pace.signingSeconds + 2 * pace.floorSeconds + pace.loadSeconds
  return START_SECONDS + 3 * pace.warmSeconds + pace.rounds * round
}

/** Measures all rates alternately and returns the median round. */
export async function measureWarm(runtime: BenchRuntime, alg: Algorithm, pace: Pace): Promise<Warm> {
  const world = await makeWorld({ alg })
  const floor = await start(runtime, FLOOR, world)
  const server = await start(runtime, SERVER, world)
  const targetOf = (url: string): Target => ({ url, form: world.form })
  const route = targetOf(`${floor.origin}/route`)
  const least = targetOf(`${floor.origin}/least/${alg}`)
  const token = targetOf(`${server.origin}/token`)
  for (const each of [route, least, token]) await load(each, pace.warmSeconds)
  const count = Math.ceil((await signaturesPerSecond(floor, alg, 500)) * pace.signingSeconds)
  const rounds: Warm[] = []
  while (rounds.length < pace.rounds) {
    const signatures = await signaturesPerSecond(floor, alg, count)
    const routes = await load(route, pace.floorSeconds)
    const leastCost = await measureCost(floor, least, pace.floorSeconds)
    const tokens = await measureCost(server, token, pace.loadSeconds)
    rounds.push({
      runtime,
      alg,
      tokensPerSecond: tokens.perSecond,
      p50Milliseconds: tokens.p50,
      p99Milliseconds: tokens.p99,
      cpuMilliseconds: tokens.cpuMilliseconds,
      memoryMebibytes: usage(server).memory,
      signaturesPerSecond: signatures,
      routesPerSecond: routes.perSecond,
      routeP99Milliseconds: routes.p99,
      shareOfIdeal: tokens.perSecond * (1 / signatures + 1 / routes.perSecond),
      shareOfLeast: leastCost.cpuMilliseconds / tokens.cpuMilliseconds,
    })
  }
  await Promise.all([floor.stop(), server.stop()])
  return median(rounds, ({ shareOfIdeal }) => shareOfIdeal)
}

async function signaturesPerSecond({ origin }: Running, alg: Algorithm, count: number): Promise<number> {
  const began = performance.now()
  const response = await fetch(`${origin}/sign/${alg}/${count}`, { method: 'POST' })
  if ((await response.text()) !== 'done') throw new Error(`${alg} cannot be signed`)
  return count / ((performance.now() - began) / 1000)
}
