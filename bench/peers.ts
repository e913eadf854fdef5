/** Compares edgemint with other servers, on the same core in the same run, by tokens per second of CPU. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Running } from '../test/support/process.ts'
import { runToEnd } from './child.ts'
import { type Cost, measureCost } from './cost.ts'
import { type Pace, START_SECONDS } from './pace.ts'
import { type BenchRuntime, SERVER, start, startPinned } from './servers.ts'
import { median } from './table.ts'
import { ALGORITHMS, type Algorithm, folder, makeWorld, type Setup, type World } from './world.ts'

/** Loads are longer than elsewhere, because a peer that uses bcrypt issues few tokens per second. */
const LOADS = 2

/** Approximate time to fetch and build the peers. */
const PREPARE_SECONDS = 30

/** The secret of the client in fosite's how-to. */
const CHOSEN_SECRET = 'foobar'

export interface Compared {
  readonly peer: string
  readonly edgemint: BenchRuntime
  readonly alg: Algorithm
  readonly peerTokensPerCpuSecond: number
  readonly tokensPerCpuSecond: number
  readonly peerP99Milliseconds: number
  readonly p99Milliseconds: number
  readonly ratio: number
}

interface Peer {
  readonly name: string
  readonly runtimes: readonly BenchRuntime[]
  readonly algorithms: readonly Algorithm[]
  /** The client's secret; generated if absent. */
  readonly secret?: string
  /** Fetches and builds the peer. Returns the reason if that is not possible. */
  prepare(): Promise<string | undefined>
  start(alg: Algorithm, world: World): Promise<Running>
}

const fositeProgram = join(folder, 'fosite')

const PEERS: readonly Peer[] = [
  {
    name: 'ory/fosite, bcrypt client',
    runtimes: ['node', 'bun', 'deno', 'workerd'],
    algorithms: ['RS256'],
    secret: CHOSEN_SECRET,
    async prepare() {
      if (spawnSync('go', ['version']).error !== undefined) return 'Go is not installed'
      await runToEnd('go', ['build', '-o', fositeProgram, '.'], 'bench/peers/fosite')
      return undefined
    },
    async start(_alg, { record }) {
      const [{ hash }] = JSON.parse(record).client_secrets
      return startPinned((port) => ({
        command: fositeProgram,
        environment: { PORT: `${port}`, CLIENT_SECRET_HASH: hash },
      }))
    },
  },
  {
    name: 'oidc-provider on Node, its secret in plain text',
    runtimes: ['node'],
    algorithms: ALGORITHMS,
    async prepare() {
      await runToEnd('npm', ['ci', '--prefix', 'bench/peers/oidc-provider', '--no-audit', '--no-fund'])
      return undefined
    },
    async start(alg, { form }) {
      const secret = new URLSearchParams(form).get('client_secret') ?? ''
      return startPinned((port) => ({
        command: 'node bench/peers/oidc-provider/server.js',
        environment: { PORT: `${port}`, ALG: alg, CLIENT_SECRET: secret },
      }))
    },
  },
]

/** Returns approximately how many seconds `measurePeers` takes. */
export function peersSeconds(runtimes: readonly BenchRuntime[], pace: Pace): number {
  const row = START_SECONDS + 2 * (pace.warmSeconds + pace.rounds * LOADS * pace.loadSeconds)
  const rows = PEERS.flatMap(({ algorithms, ...peer }) =>
    algorithms.flatMap(() => peer.runtimes.filter((runtime) => runtimes.includes(runtime))),
  )
  return PREPARE_SECONDS + rows.length * row
}

/** Measures each peer and edgemint, on each runtime that the peer is compared with. */
export async function* measurePeers(
  runtimes: readonly BenchRuntime[],
  pace: Pace,
  settings: NonNullable<Setup['settings']> = {},
): AsyncGenerator<Compared> {
  for (const peer of PEERS) {
    const missing = await peer.prepare()
    if (missing !== undefined) console.log(`${peer.name}: not measured, ${missing}`)
    else
      for (const alg of peer.algorithms)
        for (const runtime of peer.runtimes)
          if (runtimes.includes(runtime)) yield await compare(peer, runtime, alg, pace, settings)
  }
}

async function compare(
  peer: Peer,
  runtime: BenchRuntime,
  alg: Algorithm,
  pace: Pace,
  settings: NonNullable<Setup['settings']>,
): Promise<Compared> {
  const world = await makeWorld({ alg, settings, ...(peer.secret !== undefined && { secret: peer.secret }) })
  const [theirs, ours] = [await peer.start(alg, world), await start(runtime, SERVER, world)]
  const measure = (server: Running, seconds: number): Promise<Cost> =>
    measureCost(server, { url: `${server.origin}/token`, form: world.form }, seconds)
  for (const server of [theirs, ours]) await measure(server, pace.warmSeconds)
  const rounds: Compared[] = []
  while (rounds.length < pace.rounds) {
    const there = await measure(theirs, LOADS * pace.loadSeconds)
    const here = await measure(ours, LOADS * pace.loadSeconds)
    rounds.push({
      peer: peer.name,
      edgemint: runtime,
      alg,
      peerTokensPerCpuSecond: 1000 / there.cpuMilliseconds,
      tokensPerCpuSecond: 1000 / here.cpuMilliseconds,
      peerP99Milliseconds: there.p99,
      p99Milliseconds: here.p99,
      ratio: there.cpuMilliseconds / here.cpuMilliseconds,
    })
  }
  await Promise.all([theirs.stop(), ours.stop()])
  return median(rounds, ({ ratio }) => ratio)
}
