/**
 * `npm run bench`: tokens a second on each runtime, for RS256, ES256 and EdDSA, beside what the signature and a bare route
 * alone reach in the same run, and the share of that ideal. `npm run bench -- node bun` runs those only; `--json FILE` writes it.
 */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import autocannon from 'autocannon'
import Table from 'cli-table3'
import { generateSecret } from '../src/clients/generated_secret.ts'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { hashSecret } from '../src/clients/secret_hashes.ts'
import { generateKey } from '../src/keys/key_set.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import type { Running } from '../test/support/process.ts'
import { type BenchRuntime, RUNTIMES, type Setup, startEdgemint, startFloor } from './servers.ts'

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
const CONNECTIONS = 16
const WARM_SECONDS = 2
const SECONDS = 6
const SIGNATURES = 3000
const JIFFIES_PER_SECOND = 100

const folder = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
const database = join(folder, 'edgemint.db')
const secret = generateSecret()
const record = clientRecord({
  client_id: 'generated',
  client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
  grant_types: ['client_credentials'],
})
const { registry, close } = sqliteStores(database, Date.now)
await registry.put(clientKey('generated'), record)
await close()

const body = `grant_type=client_credentials&client_id=generated&client_secret=${secret}`
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** What one load came to. */
interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function load(url: string, duration: number): Promise<Load> {
  const { latency, ...result } = await autocannon({
    url,
    connections: CONNECTIONS,
    duration,
    method: 'POST',
    headers: form,
    body,
  })
  if (result.non2xx + result.errors > 0) throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return { perSecond: result['2xx'] / result.duration, p50: latency.p50, p99: latency.p99 }
}

/** CPU seconds of a server and its children so far, and the most memory it had, MiB. */
function usage({ pid }: Running): { cpu: number; memory: number } {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = after.split(' ').map(Number)
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { cpu: ((fields[11] ?? 0) + (fields[12] ?? 0)) / JIFFIES_PER_SECOND, memory: Number(kilobytes) / 1024 }
}

async function signaturesPerSecond({ origin }: Running, alg: string): Promise<number> {
  await fetch(`${origin}/sign/${alg}/200`).then((response) => response.text())
  const began = performance.now()
  await fetch(`${origin}/sign/${alg}/${SIGNATURES}`).then((response) => response.text())
  return SIGNATURES / ((performance.now() - began) / 1000)
}

async function measure(runtime: BenchRuntime, alg: string) {
  const setup: Setup = {
    folder,
    database,
    signingKeys: JSON.stringify({ keys: [await generateKey(alg)] }),
    records: { [clientKey('generated')]: record },
  }
  const floor = await startFloor(runtime, setup)
  const signatures = await signaturesPerSecond(floor, alg)
  await load(`${floor.origin}/route`, WARM_SECONDS)
  const route = (await load(`${floor.origin}/route`, SECONDS)).perSecond
  await floor.stop()
  const server = await startEdgemint(runtime, setup)
  const began = performance.now()
  await fetch(`${server.origin}/token`, { method: 'POST', headers: form, body }).then((response) => response.text())
  const cold = performance.now() - began
  await load(`${server.origin}/token`, WARM_SECONDS)
  const before = usage(server)
  const tokens = await load(`${server.origin}/token`, SECONDS)
  const after = usage(server)
  await server.stop()
  const cpu = ((after.cpu - before.cpu) * 1000) / (tokens.perSecond * SECONDS)
  const share = tokens.perSecond * (1 / signatures + 1 / route)
  return {
    runtime,
    alg,
    tokens: tokens.perSecond,
    p50: tokens.p50,
    p99: tokens.p99,
    cpu,
    memory: after.memory,
    cold,
    signatures,
    route,
    share,
  }
}

const chosen = RUNTIMES.filter(
  (runtime) => !RUNTIMES.some((each) => process.argv.includes(each)) || process.argv.includes(runtime),
)
const results: Awaited<ReturnType<typeof measure>>[] = []
for (const runtime of chosen) for (const alg of ALGORITHMS) results.push(await measure(runtime, alg))

const head = [
  'runtime',
  'alg',
  'tokens/s',
  'p50 ms',
  'p99 ms',
  'CPU ms',
  'MiB',
  'first ms',
  'signatures/s',
  'route/s',
  'share of ideal',
]
const table = new Table({ head, style: { head: [], border: [] } })
for (const { runtime, alg, tokens, p50, p99, cpu, memory, cold, signatures, route, share } of results) {
  const [round, fine] = [(value: number) => value.toFixed(0), (value: number) => value.toFixed(2)]
  table.push([
    runtime,
    alg,
    round(tokens),
    p50,
    p99,
    fine(cpu),
    round(memory),
    round(cold),
    round(signatures),
    round(route),
    fine(share),
  ])
}
console.log(table.toString())
const file = process.argv[process.argv.indexOf('--json') + 1]
if (process.argv.includes('--json') && file !== undefined) writeFileSync(file, JSON.stringify(results, null, 2))
