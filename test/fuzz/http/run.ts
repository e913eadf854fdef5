/** Fuzzes a server as a process: generated requests, several at a time, each answer judged. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { startKv } from '../../support/kv_model.ts'
import { type Running, startServer } from '../../support/process.ts'
import { bundleWorker, serveWorker } from '../../support/workerd.ts'
import { CASES } from './cases.ts'
import { judge } from './judge.ts'
import { build, type Plan, plans } from './requests.ts'
import { type Answer, exchange } from './wire.ts'
import { createFuzzWorld, type FuzzWorld, SETTINGS } from './world.ts'

export const RUNTIMES = ['node', 'bun', 'deno', 'workerd'] as const
export type FuzzRuntime = (typeof RUNTIMES)[number]

const COMMANDS: Readonly<Record<Exclude<FuzzRuntime, 'workerd'>, string>> = {
  node: 'exec node src/index.ts',
  bun: 'exec bun run src/index.ts',
  deno: 'exec deno run --allow-all --unstable-kv src/index.ts',
}

/** Requests that are on their way together. */
const TOGETHER = 8

/** The keys of an issuer may have to be fetched from a host that does not exist. */
const FETCH_MILLISECONDS = 8000

export interface Report {
  readonly requests: number
  /** How often each status was answered; `none` where the connection was closed. */
  readonly statuses: Readonly<Record<string, number>>
  readonly slowestMilliseconds: number
  /** Answers that took more than a second. */
  readonly slow: number
  readonly failures: readonly string[]
}

export interface Fuzzing {
  readonly seed: number
  /** Returns whether to go on after this many requests. */
  readonly goesOn: (requests: number) => boolean
  readonly limitMilliseconds: number
}

interface Served {
  readonly running: Running
  readonly stop: () => Promise<void>
}

async function serve(runtime: FuzzRuntime): Promise<Served> {
  if (runtime === 'workerd') {
    const kv = await startKv()
    const folder = bundleWorker()
    const running = await serveWorker(folder, SETTINGS, kv.port)
    const stop = async (): Promise<void> => {
      await running.stop()
      kv.close()
      rmSync(folder, { recursive: true })
    }
    return { running: { ...running, origin: running.origins[0] ?? '' }, stop }
  }
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  const running = await startServer((port) => ({
    command: COMMANDS[runtime],
    environment: { ...SETTINGS, PORT: `${port}`, STORE_URL: `sqlite:${join(folder, 'fuzz.db')}` },
  }))
  const stop = async (): Promise<void> => {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
  return { running, stop }
}

/** Fuzzes a runtime until `goesOn` ends it, or a request fails. */
export async function fuzzRuntime(runtime: FuzzRuntime, fuzzing: Fuzzing): Promise<Report> {
  const { running, stop } = await serve(runtime)
  const statuses: Record<string, number> = {}
  const failures: string[] = []
  let [requests, slowestMilliseconds, slow, seed] = [0, 0, 0, fuzzing.seed]
  try {
    const world = await createFuzzWorld(Number(new URL(running.origin).port))
    while (fuzzing.goesOn(requests) && failures.length === 0) {
      const kept = requests === 0 ? CASES.map((each) => ({ ...VALID, ...each })) : []
      const batch = [...kept, ...fc.sample(plans, { numRuns: TOGETHER, seed })]
      const answers = await Promise.allSettled(
        batch.map((plan) => request(plan, world, runtime, fuzzing.limitMilliseconds)),
      )
      for (const [index, answer] of answers.entries()) {
        requests++
        if (answer.status === 'rejected') {
          failures.push(`seed ${seed}, request ${index}: ${JSON.stringify(batch[index])}\n${answer.reason}`)
          continue
        }
        const { status = 'none', milliseconds } = answer.value
        statuses[status] = (statuses[status] ?? 0) + 1
        if (milliseconds > 1000) slow++
        slowestMilliseconds = Math.max(slowestMilliseconds, milliseconds)
      }
      seed++
    }
    await requireAlive(world, runtime, failures)
  } catch (error) {
    failures.push(`seed ${seed}: ${error}\n${running.output().slice(-2000)}`)
  } finally {
    await stop()
  }
  return { requests, statuses, slowestMilliseconds, slow, failures }
}

async function request(plan: Plan, world: FuzzWorld, runtime: FuzzRuntime, limitMilliseconds: number): Promise<Answer> {
  const built = await build(plan, world, runtime === 'workerd')
  const limit = built.path.startsWith('/issuers/') ? FETCH_MILLISECONDS : limitMilliseconds
  const answer = await exchange(world.port, built.octets, built.isWhole, limit)
  try {
    await judge(built, answer)
  } catch (error) {
    throw new Error(`${error}\n${built.octets.slice(0, 2000)}\n→ ${answer.status} ${answer.body.slice(0, 500)}`)
  }
  return answer
}

const VALID: Plan = {
  kind: 'form',
  path: '/token',
  verb: undefined,
  operation: 0,
  isOperator: false,
  method: 'basic',
  flaw: undefined,
  second: undefined,
  parameters: [],
  headers: [],
  framing: 'length',
  bodyEdits: [],
  wireEdits: [],
}

/** Adds a failure unless a client still gets its token in each way. */
async function requireAlive(world: FuzzWorld, runtime: FuzzRuntime, failures: string[]): Promise<void> {
  for (const method of ['basic', 'post', 'key', 'federated', 'spiffe', 'exchange'] as const) {
    const answer = await request({ ...VALID, method }, world, runtime, FETCH_MILLISECONDS)
    if (answer.status !== 200) failures.push(`${method} gets no token at the end: ${answer.status} ${answer.body}`)
  }
}
