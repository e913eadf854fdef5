/**
 * `npm run bench`: tokens per second on each runtime, for RS256, ES256 and EdDSA, and the time to the first token. On Linux the
 * servers have a core of their own, so that a rate is that of one core. Each row is printed when it is measured, and all rows as a
 * table at the end.
 *
 *     npm run bench                        everything, within 5 minutes
 *     npm run bench -- --full              with longer loads and medians of several rounds, in about 15 minutes
 *     npm run bench -- node EdDSA          one runtime, one algorithm
 *     npm run bench -- --peers             next to ory/fosite and oidc-provider
 *     npm run bench -- --growth            with many clients, scopes and keys; ES256 by default
 *     npm run bench -- --reuse             with tokens that are reused; RS256 by default
 *     npm run bench -- --reuse --peers     … next to the others, and --reuse --growth
 *     npm run bench -- --json results.json
 */

import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { exitOnSignals } from './child.ts'
import { coldSeconds, measureCold } from './cold.ts'
import { growthSeconds, measureGrowth } from './growth.ts'
import { generator } from './load.ts'
import { FULL, QUICK } from './pace.ts'
import { measurePeers, peersSeconds } from './peers.ts'
import { crowdSeconds, measureCrowds, measureReuse, REUSE, reuseSeconds } from './reuse.ts'
import { isPinned, RUNTIMES } from './servers.ts'
import { about, lineOf, tableOf } from './table.ts'
import { measureWarm, warmSeconds } from './warm.ts'
import { ALGORITHMS } from './world.ts'

exitOnSignals()
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean' },
    peers: { type: 'boolean' },
    growth: { type: 'boolean' },
    reuse: { type: 'boolean' },
    json: { type: 'string' },
  },
})
const unknown = positionals.filter((name) => ![...RUNTIMES, ...ALGORITHMS].some((known) => known === name))
if (unknown.length > 0) throw new Error(`${unknown.join()}: neither a runtime nor an algorithm`)
const pace = options.full ? FULL : QUICK

/** Returns those of `all` that are named on the command line, or the usual ones. */
function chosen<T extends string>(all: readonly T[], usual: readonly T[] = all): readonly T[] {
  const named = all.filter((each) => positionals.includes(each))
  return named.length > 0 ? named : usual
}

interface Part {
  readonly title: string
  /** Approximate duration. */
  readonly seconds: number
  measure(): AsyncIterable<object>
}

const runtimes = chosen(RUNTIMES)
const algorithms = chosen(ALGORITHMS)

const warm: Part = {
  title: 'Warm',
  seconds: runtimes.length * algorithms.length * warmSeconds(pace),
  async *measure() {
    for (const runtime of runtimes) for (const alg of algorithms) yield await measureWarm(runtime, alg, pace)
  },
}

const cold: Part = {
  title: 'Cold, milliseconds since the start of the process',
  seconds: runtimes.length * coldSeconds(pace),
  async *measure() {
    for (const runtime of runtimes) yield await measureCold(runtime, pace)
  },
}

const settings = options.reuse ? REUSE : {}

const peers: Part = {
  title: 'Peers',
  seconds: peersSeconds(runtimes, pace),
  measure: () => measurePeers(runtimes, pace, settings),
}

const reuse = chosen(ALGORITHMS, ['RS256']).flatMap((alg): Part[] => [
  {
    title: `Reuse, ${alg}`,
    seconds: runtimes.length * reuseSeconds(pace),
    async *measure() {
      for (const runtime of runtimes) yield await measureReuse(runtime, alg, pace)
    },
  },
  {
    title: `Many clients, ${alg}`,
    seconds: runtimes.length * crowdSeconds(),
    async *measure() {
      for (const runtime of runtimes) yield* measureCrowds(runtime, alg)
    },
  },
])

const growth = chosen(ALGORITHMS, ['ES256']).map(
  (alg): Part => ({
    title: `Growth, ${alg}`,
    seconds: growthSeconds(runtimes, pace),
    measure: () => measureGrowth(runtimes, alg, pace, settings),
  }),
)

function partsOf({ peers: isPeers = false, growth: isGrowth = false, reuse: isReuse = false }): readonly Part[] {
  if (isPeers) return [peers]
  if (isReuse && !isGrowth) return reuse
  return isGrowth ? growth : [warm, cold]
}

const parts = partsOf(options)
const machine = `${cpus()[0]?.model}, ${isPinned ? 'one core for the servers' : 'not pinned'}, load by ${generator}`
const total = about(parts.reduce((sum, { seconds }) => sum + seconds, 0))
console.log(`${machine}\n${parts.map(({ title }) => title).join('; ')}: ${total} on ${runtimes.join(', ')}\n`)
const results: Record<string, object[]> = {}
for (const { title, seconds, measure } of parts) {
  console.log(`${title}, ${about(seconds)}`)
  const rows: object[] = []
  for await (const row of measure()) {
    rows.push(row)
    console.log(`  ${lineOf(row)}`)
  }
  results[title] = rows
  console.log(`${tableOf(rows)}\n`)
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ machine, pace, ...results }, null, 2))
