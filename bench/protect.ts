/**
 * `npm run bench:protect`: verified requests per CPU second of the guard of `edgemint/resource-server`, next to
 * `validateJwtAccessToken` of oauth4webapi, and of its Hono middleware next to `hono/jwk`, in paired rounds of one process.
 *
 *     npm run bench:protect -- node bun     by default on all runtimes
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Running } from '../test/support/process.ts'
import { exitOnSignals } from './child.ts'
import { type BenchRuntime, RUNTIMES, start, usage } from './servers.ts'
import { median } from './table.ts'

const MODULE = 'bench/protect_verifiers.ts'
const ROUNDS = 7
const WARM_ROUNDS = 2
const COUNT = 3000

const PAIRS: readonly [one: string, other: string, kinds: readonly string[]][] = [
  ['guard', 'oauth4webapi', ['RS256', 'ES256', 'EdDSA', 'ES256-dpop']],
  ['honoGuard', 'honoJwk', ['RS256', 'ES256', 'EdDSA']],
]

/** Returns the requests per CPU second of the process. */
async function measure(server: Running, verifier: string, kind: string): Promise<number> {
  const before = usage(server).cpu
  const response = await fetch(`${server.origin}/${verifier}/${kind}/${COUNT}`)
  if (!response.ok || (await response.text()) !== 'done') throw new Error(`${verifier}, ${kind}: ${response.status}`)
  return COUNT / (usage(server).cpu - before)
}

interface Round {
  readonly one: number
  readonly other: number
  readonly ratio: number
}

/** Each is the first in every other round. */
async function compare(server: Running, [one, other]: readonly [string, string], kind: string): Promise<Round> {
  const rounds: Round[] = []
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    const isTurned = round % 2 !== 0
    const first = await measure(server, isTurned ? other : one, kind)
    const second = await measure(server, isTurned ? one : other, kind)
    const [ours, theirs] = isTurned ? [second, first] : [first, second]
    if (round >= 0) rounds.push({ one: ours, other: theirs, ratio: ours / theirs })
  }
  return median(rounds, ({ ratio }) => ratio)
}

exitOnSignals()
const folder = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const named = process.argv.slice(2)
const runtimes = RUNTIMES.filter((each) => named.length === 0 || named.includes(each))
const setup = { folder, record: '', signingKeys: '', settings: {}, database: '', log: '/dev/null' }
for (const runtime of runtimes as readonly BenchRuntime[]) {
  const server = await start(runtime, MODULE, setup)
  for (const [one, other, kinds] of PAIRS) {
    for (const kind of kinds) {
      const { one: ours, other: theirs, ratio } = await compare(server, [one, other], kind)
      const line = `${runtime}, ${kind}: ${one} ${ours.toFixed(0)}, ${other} ${theirs.toFixed(0)} requests per CPU second`
      process.stdout.write(`${line}, ratio ${ratio.toFixed(2)}\n`)
    }
  }
  await server.stop()
}
