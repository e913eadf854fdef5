/**
 * Measures tokens that are reused, next to new tokens, a bare route, and the least that a new token can cost, in CPU time of the
 * server. The generated secret is verified on every request, and the log has lines for refusals only.
 */

import { createReadStream, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { measureCost } from './cost.ts'
import { FIRST_SCOPE, load } from './load.ts'
import { type Pace, START_SECONDS } from './pace.ts'
import { type BenchRuntime, FLOOR, SERVER, start, usage } from './servers.ts'
import { median } from './table.ts'
import { type Algorithm, folder, makeWorld } from './world.ts'

/** The settings with which tokens are reused. */
export const REUSE: Readonly<Record<string, string>> = { TOKEN_REUSE_SECONDS: '300', AUDIT_LOG: 'refusals' }

/** Share of the requests of the mixed load that no held token answers. */
const NEW_SHARE = 0.1

export interface Reused {
  readonly runtime: BenchRuntime
  readonly alg: Algorithm
  readonly tokensPerSecond: number
  readonly p99Milliseconds: number
  /** 90 % of the requests reuse a token, 10 % get a new one. */
  readonly mixedP99Milliseconds: number
  readonly cpuMilliseconds: number
  readonly routeCpuMilliseconds: number
  /** CPU time of a reused token, divided by that of a bare route. */
  readonly timesTheRoute: number
  readonly newCpuMilliseconds: number
  readonly leastCpuMilliseconds: number
  /** CPU time of a bare route with one digest and one signature, divided by that of a new token. */
  readonly shareOfLeast: number
}

/** Returns approximately how many seconds `measureReuse` takes. */
export function reuseSeconds(pace: Pace): number {
  return START_SECONDS + 5 * pace.warmSeconds + pace.rounds * (2 * pace.floorSeconds + 3 * pace.loadSeconds)
}

/** Measures each kind of request alternately and returns the median round. */
export async function measureReuse(runtime: BenchRuntime, alg: Algorithm, pace: Pace): Promise<Reused> {
  const world = await makeWorld({ alg })
  const settings = { AUDIT_LOG: 'refusals' }
  const floor = await start(runtime, FLOOR, world)
  const fresh = await start(runtime, SERVER, { ...world, settings })
  const reusing = await start(runtime, SERVER, { ...world, settings: REUSE })
  const scoped = await makeWorld({ alg, scope: 'new.*', asked: FIRST_SCOPE })
  const mixed = await start(runtime, SERVER, { ...scoped, settings: REUSE })
  const measures = {
    route: () => measureCost(floor, { url: `${floor.origin}/route`, form: world.form }, pace.floorSeconds),
    least: () => measureCost(floor, { url: `${floor.origin}/least/${alg}`, form: world.form }, pace.floorSeconds),
    fresh: () => measureCost(fresh, { url: `${fresh.origin}/token`, form: world.form }, pace.loadSeconds),
    reused: () => measureCost(reusing, { url: `${reusing.origin}/token`, form: world.form }, pace.loadSeconds),
    mixed: () =>
      measureCost(mixed, { url: `${mixed.origin}/token`, form: scoped.form, newShare: NEW_SHARE }, pace.loadSeconds),
  }
  for (let warmed = 0; warmed < pace.warmSeconds; warmed += pace.loadSeconds)
    for (const each of Object.values(measures)) await each()
  const rounds: Reused[] = []
  while (rounds.length < pace.rounds) {
    const [route, least] = [await measures.route(), await measures.least()]
    const [newToken, reused] = [await measures.fresh(), await measures.reused()]
    rounds.push({
      runtime,
      alg,
      tokensPerSecond: reused.perSecond,
      p99Milliseconds: reused.p99,
      mixedP99Milliseconds: (await measures.mixed()).p99,
      cpuMilliseconds: reused.cpuMilliseconds,
      routeCpuMilliseconds: route.cpuMilliseconds,
      timesTheRoute: reused.cpuMilliseconds / route.cpuMilliseconds,
      newCpuMilliseconds: newToken.cpuMilliseconds,
      leastCpuMilliseconds: least.cpuMilliseconds,
      shareOfLeast: least.cpuMilliseconds / newToken.cpuMilliseconds,
    })
  }
  await Promise.all([floor, fresh, reusing, mixed].map((server) => server.stop()))
  return median(rounds, ({ timesTheRoute }) => timesTheRoute)
}

export interface Crowd {
  readonly runtime: BenchRuntime
  readonly alg: Algorithm
  readonly clients: number
  readonly tokensPerSecond: number
  /** Share of the tokens that were reused. */
  readonly hitRate: number
  /** New tokens beyond those that can be held. */
  readonly evictions: number
  readonly memoryMebibytes: number
}

const CROWDS = [1_000, 100_000]
const CROWD_SECONDS = 20
const MAX_HELD = 10_000

/** Returns approximately how many seconds `measureCrowds` takes on one runtime. */
export function crowdSeconds(): number {
  return CROWDS.length * (START_SECONDS + CROWD_SECONDS)
}

/** Measures many clients that request tokens equally often. The audit log is read to count what was reused. */
export async function* measureCrowds(runtime: BenchRuntime, alg: Algorithm): AsyncGenerator<Crowd> {
  for (const clients of CROWDS) {
    const log = join(folder, `audit-${runtime}-${clients}.log`)
    const settings = { ...REUSE, AUDIT_LOG: 'all' }
    const world = await makeWorld({ alg, clients })
    const server = await start(runtime, SERVER, { ...world, settings, log })
    const { perSecond } = await load({ url: `${server.origin}/token`, form: world.form, clients }, CROWD_SECONDS)
    const { memory } = usage(server)
    await server.stop()
    const { issued, reused } = await countTokens(log)
    yield {
      runtime,
      alg,
      clients,
      tokensPerSecond: perSecond,
      hitRate: reused / issued,
      evictions: Math.max(0, issued - reused - MAX_HELD),
      memoryMebibytes: memory,
    }
  }
}

async function countTokens(log: string): Promise<{ issued: number; reused: number }> {
  let [issued, reused] = [0, 0]
  for await (const line of createInterface(createReadStream(log))) {
    if (!line.includes('"token_issued"')) continue
    issued++
    if (line.includes('"reused":true')) reused++
  }
  if (issued === 0) throw new Error(`${log}: no token, ${statSync(log).size} bytes`)
  return { issued, reused }
}
