/**
 * `npm run bench:stored-keys`: tokens per second of CPU time with stored keys, against SIGNING_KEYS, in paired rounds of the same run.
 *
 *     npm run bench:stored-keys -- node ES256
 */

import process from 'node:process'
import type { Running } from '../test/support/process.ts'
import { exitOnSignals } from './child.ts'
import { load } from './load.ts'
import { type BenchRuntime, RUNTIMES, SERVER, start, usage } from './servers.ts'
import { ALGORITHMS, type Algorithm, makeWorld } from './world.ts'

const ROUNDS = 6
const LOAD_SECONDS = 1

exitOnSignals()
const words = process.argv.slice(2)
const unknown = words.filter((word) => ![...RUNTIMES, ...ALGORITHMS].some((known) => known === word))
if (unknown.length > 0) throw new Error(`${unknown.join()}: neither a runtime nor an algorithm`)

async function tokensPerCpuSecond(server: Running, form: string): Promise<number> {
  const before = usage(server)
  const { perSecond } = await load({ url: `${server.origin}/token`, form }, LOAD_SECONDS)
  return (perSecond * LOAD_SECONDS) / (usage(server).cpu - before.cpu)
}

async function measure(runtime: BenchRuntime, alg: Algorithm): Promise<string> {
  const world = await makeWorld({ alg })
  const KEY_ENCRYPTION_KEYS = `1:${Buffer.alloc(32, 1).toString('base64url')}`
  // The one that starts later has an advantage or a disadvantage of its own, so each kind is measured in both places.
  const fixed = (): Promise<Running> => start(runtime, SERVER, world)
  const stored = (): Promise<Running> =>
    start(runtime, SERVER, { ...world, signingKeys: '', settings: { KEY_ENCRYPTION_KEYS, SIGNING_ALG: alg } })
  const servers = [await fixed(), await stored(), await stored(), await fixed()]
  const rates: number[][] = servers.map(() => [])
  try {
    for (const server of servers) await tokensPerCpuSecond(server, world.form)
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, server] of round % 2 === 0 ? [...servers.entries()] : [...servers.entries()].reverse())
        rates[index]?.push(await tokensPerCpuSecond(server, world.form))
  } finally {
    for (const server of servers) await server.stop()
  }
  const median = (indices: readonly number[]): number => {
    const all = indices.flatMap((index) => rates[index] ?? []).sort((one, other) => one - other)
    return all[Math.floor(all.length / 2)] ?? 0
  }
  const [ofFixed, ofStored] = [median([0, 3]), median([1, 2])]
  const ratio = (ofStored / ofFixed).toFixed(3)
  return `${runtime} ${alg}: ${Math.round(ofFixed)} with SIGNING_KEYS, ${Math.round(ofStored)} with stored keys, ${ratio}`
}

for (const runtime of RUNTIMES.filter(
  (each) => words.includes(each) || !words.some((word) => RUNTIMES.includes(word as BenchRuntime)),
))
  for (const alg of ALGORITHMS.filter(
    (each) =>
      words.includes(each) || (each === 'ES256' && !words.some((word) => ALGORITHMS.includes(word as Algorithm))),
  ))
    console.log(await measure(runtime, alg))
