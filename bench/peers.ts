/** Edgemint beside other servers, on the same core in the same run: tokens of one second of CPU. */

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { freePort, type Running } from '../test/support/process.ts'
import { load } from './load.ts'
import { type BenchRuntime, SERVER, start, startPinned, usage } from './servers.ts'
import { median } from './table.ts'
import { ALGORITHMS, type Algorithm, folder, makeWorld, type World } from './world.ts'

const ROUNDS = 3
const WARM_SECONDS = 8
const SECONDS = 4

/** What the how-to's client has for a secret. */
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
  /** Of the client; a generated one where it is absent. */
  readonly secret?: string
  /** Fetches and builds it; gives why it cannot be had. */
  prepare(): string | undefined
  start(alg: Algorithm, world: World): Promise<Running>
}

const fositeProgram = join(folder, 'fosite')

const PEERS: readonly Peer[] = [
  {
    name: 'ory/fosite, bcrypt client',
    runtimes: ['node', 'bun', 'deno', 'workerd'],
    algorithms: ['RS256'],
    secret: CHOSEN_SECRET,
    prepare() {
      if (spawnSync('go', ['version']).error !== undefined) return 'Go is not installed'
      execFileSync('go', ['build', '-o', fositeProgram, '.'], { cwd: 'bench/peers/fosite', stdio: 'inherit' })
      return undefined
    },
    async start(_alg, { record }) {
      const [{ hash }] = JSON.parse(record).client_secrets
      const port = await freePort()
      return startPinned(fositeProgram, port, { PORT: `${port}`, CLIENT_SECRET_HASH: hash })
    },
  },
  {
    name: 'oidc-provider on Node, its secret in plain text',
    runtimes: ['node'],
    algorithms: ALGORITHMS,
    prepare() {
      execFileSync('npm', ['ci', '--prefix', 'bench/peers/oidc-provider', '--no-audit', '--no-fund'], { stdio: 'pipe' })
      return undefined
    },
    async start(alg, { form }) {
      const port = await freePort()
      const secret = new URLSearchParams(form).get('client_secret') ?? ''
      const environment = { PORT: `${port}`, ALG: alg, CLIENT_SECRET: secret }
      return startPinned('node bench/peers/oidc-provider/server.js', port, environment)
    },
  },
]

export async function* measurePeers(runtimes: readonly BenchRuntime[]): AsyncGenerator<Compared> {
  for (const peer of PEERS) {
    const missing = peer.prepare()
    if (missing !== undefined) console.log(`${peer.name}: not measured, ${missing}`)
    else
      for (const alg of peer.algorithms)
        for (const runtime of peer.runtimes) if (runtimes.includes(runtime)) yield await compare(peer, runtime, alg)
  }
}

async function compare(peer: Peer, runtime: BenchRuntime, alg: Algorithm): Promise<Compared> {
  const world = await makeWorld({ alg, ...(peer.secret !== undefined && { secret: peer.secret }) })
  const [theirs, ours] = [await peer.start(alg, world), await start(runtime, SERVER, world)]
  for (const server of [theirs, ours]) await measure(server, world, WARM_SECONDS)
  const rounds: Compared[] = []
  while (rounds.length < ROUNDS) {
    const there = await measure(theirs, world, SECONDS)
    const here = await measure(ours, world, SECONDS)
    rounds.push({
      peer: peer.name,
      edgemint: runtime,
      alg,
      peerTokensPerCpuSecond: there.perCpuSecond,
      tokensPerCpuSecond: here.perCpuSecond,
      peerP99Milliseconds: there.p99,
      p99Milliseconds: here.p99,
      ratio: here.perCpuSecond / there.perCpuSecond,
    })
  }
  await Promise.all([theirs.stop(), ours.stop()])
  return median(rounds, ({ ratio }) => ratio)
}

async function measure(
  server: Running,
  { form }: World,
  seconds: number,
): Promise<{ perCpuSecond: number; p99: number }> {
  const before = usage(server)
  const { perSecond, p99 } = await load({ url: `${server.origin}/token`, form }, seconds)
  return { perCpuSecond: (perSecond * seconds) / (usage(server).cpu - before.cpu), p99 }
}
