/** Measures the effect of many clients, scopes and keys on the CPU time of a token, on rates, latency and memory. */

import { measureCost } from './cost.ts'
import { load, type Target } from './load.ts'
import { type Pace, START_SECONDS } from './pace.ts'
import { type BenchRuntime, SERVER, start, usage } from './servers.ts'
import { median } from './table.ts'
import { type Algorithm, makeWorld, type Setup, type World, type WorldOptions } from './world.ts'

/** Approximate time to create the databases with a million clients. */
const WORLDS_SECONDS = 60

export interface Growth extends Measured {
  readonly alg: Algorithm
}

interface Measured {
  readonly runtime: BenchRuntime
  readonly world: string
  readonly tokensPerSecond: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
  readonly memoryMebibytes: number
  readonly cpuMilliseconds: number
  /** Ratio to the tokens per second of CPU time with 10 clients, measured alternately. Rates depend on what else the machine does. */
  readonly ratioToTen: number
}

const scope = Array.from({ length: 50 }, (_, index) => `orders.region-${index}.read`).join(' ')

const TEN = { clients: 10 }

const WORLDS: Readonly<Record<string, Omit<WorldOptions, 'alg'> & { readonly isSkewed?: boolean }>> = {
  '10 again': TEN,
  '10,000 clients': { clients: 10_000 },
  '1,000,000 clients, few of them often': { clients: 1_000_000, isSkewed: true },
  '1,000,000 clients, each as often': { clients: 1_000_000 },
  '1 scope': { ...TEN, scope: 'orders.region-0.read' },
  '50 scopes': { ...TEN, scope },
  '10 signing keys': { ...TEN, moreKeys: 9 },
}

/** Returns approximately how many seconds `measureGrowth` takes. */
export function growthSeconds(runtimes: readonly BenchRuntime[], pace: Pace): number {
  const row = START_SECONDS + 2 * (pace.warmSeconds + pace.rounds * pace.loadSeconds)
  return WORLDS_SECONDS + Object.keys(WORLDS).length * runtimes.length * row
}

/** Measures each world on each runtime, and compares it with a world of 10 clients. */
export async function* measureGrowth(
  runtimes: readonly BenchRuntime[],
  alg: Algorithm,
  pace: Pace,
  settings: NonNullable<Setup['settings']> = {},
): AsyncGenerator<Growth> {
  const ten = await makeWorld({ ...TEN, alg, settings })
  for (const [name, options] of Object.entries(WORLDS)) {
    const world = await makeWorld({ ...options, alg, settings })
    for (const runtime of runtimes)
      yield { alg, ...(await measure(runtime, name, ten, { ...world, ...options }, pace)) }
  }
}

async function measure(
  runtime: BenchRuntime,
  name: string,
  ten: World,
  world: World & Omit<Target, 'url'>,
  { rounds: count, warmSeconds, loadSeconds }: Pace,
): Promise<Measured> {
  const [few, many] = [await start(runtime, SERVER, ten), await start(runtime, SERVER, world)]
  const fewTarget: Target = { url: `${few.origin}/token`, form: ten.form, clients: 10 }
  const manyTarget: Target = { ...world, url: `${many.origin}/token` }
  await load(fewTarget, warmSeconds)
  await load(manyTarget, warmSeconds)
  const rounds: Measured[] = []
  while (rounds.length < count) {
    const base = await measureCost(few, fewTarget, loadSeconds)
    const grown = await measureCost(many, manyTarget, loadSeconds)
    rounds.push({
      runtime,
      world: name,
      tokensPerSecond: grown.perSecond,
      p50Milliseconds: grown.p50,
      p99Milliseconds: grown.p99,
      memoryMebibytes: usage(many).memory,
      cpuMilliseconds: grown.cpuMilliseconds,
      ratioToTen: base.cpuMilliseconds / grown.cpuMilliseconds,
    })
  }
  await Promise.all([few.stop(), many.stop()])
  return median(rounds, ({ ratioToTen }) => ratioToTen)
}
