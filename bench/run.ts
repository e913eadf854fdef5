/**
 * `npm run bench`: tokens a second on each runtime, for RS256, ES256 and EdDSA, and what the first token takes. On Linux the servers
 * have one core to themselves, so that a rate is what one core does.
 *
 *     npm run bench                        all of that
 *     npm run bench -- node EdDSA          one runtime, one algorithm
 *     npm run bench -- --peers             beside ory/fosite and oidc-provider
 *     npm run bench -- --growth            with many clients, scopes and keys; ES256 unless another is named
 *     npm run bench -- --json results.json
 */

import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCold } from './cold.ts'
import { measureGrowth } from './growth.ts'
import { generator } from './load.ts'
import { measurePeers } from './peers.ts'
import { isPinned, RUNTIMES } from './servers.ts'
import { tableOf } from './table.ts'
import { measureWarm } from './warm.ts'
import { ALGORITHMS } from './world.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { peers: { type: 'boolean' }, growth: { type: 'boolean' }, json: { type: 'string' } },
})
const unknown = positionals.filter((name) => ![...RUNTIMES, ...ALGORITHMS].some((known) => known === name))
if (unknown.length > 0) throw new Error(`${unknown.join()}: neither a runtime nor an algorithm`)

/** Those that were named, or the usual ones. */
function chosen<T extends string>(all: readonly T[], usual: readonly T[] = all): readonly T[] {
  const named = all.filter((each) => positionals.includes(each))
  return named.length > 0 ? named : usual
}

const results: Record<string, object[]> = {}

async function tell(title: string, measured: AsyncIterable<object>): Promise<void> {
  const rows: object[] = []
  for await (const row of measured) rows.push(row)
  results[title] = rows
  console.log(`${title}\n${tableOf(rows)}\n`)
}

async function* warm(): AsyncGenerator<object> {
  for (const runtime of chosen(RUNTIMES)) for (const alg of chosen(ALGORITHMS)) yield await measureWarm(runtime, alg)
}

async function* cold(): AsyncGenerator<object> {
  for (const runtime of chosen(RUNTIMES)) yield await measureCold(runtime)
}

const machine = `${cpus()[0]?.model}, ${isPinned ? 'one core for the servers' : 'not pinned'}, load by ${generator}`
console.log(`${machine}\n`)
if (options.peers) await tell('Peers', measurePeers(chosen(RUNTIMES)))
else if (options.growth) {
  for (const alg of chosen(ALGORITHMS, ['ES256'])) await tell(`Growth, ${alg}`, measureGrowth(chosen(RUNTIMES), alg))
} else {
  await tell('Warm', warm())
  await tell('Cold, milliseconds since the start of the process', cold())
}
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ machine, ...results }, null, 2))
