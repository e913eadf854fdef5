/** Measures the time from the start of a process to its first token, and the steps on the way. */

import type { Pace } from './pace.ts'
import { type BenchRuntime, EMPTY, MODULES, SERVER, start } from './servers.ts'
import { median } from './table.ts'
import { makeWorld, type Setup } from './world.ts'

/** Approximate time of one round, which starts three processes. */
const ROUND_SECONDS = 2
const POLL_MILLISECONDS = 1

/** Milliseconds since the start of the process, except `secondToken`. */
export interface Cold {
  readonly runtime: BenchRuntime
  /** An empty module answers: the time of the runtime itself. */
  readonly emptyAnswers: number
  /** All modules of the server are evaluated. */
  readonly modulesEvaluated: number
  /** Settings are read, keys imported, stores open. */
  readonly serverAnswers: number
  readonly firstToken: number
  /** Duration of the request for the second token. */
  readonly secondToken: number
}

/** Returns approximately how many seconds `measureCold` takes. */
export function coldSeconds({ starts }: Pace): number {
  return (starts + 1) * ROUND_SECONDS
}

/** Measures each step in a separate process, one after another, and returns the median round. */
export async function measureCold(runtime: BenchRuntime, { starts }: Pace): Promise<Cold> {
  const world = await makeWorld({ alg: 'RS256' })
  const rounds: Cold[] = []
  for (let round = 0; round <= starts; round++) {
    const { answers: emptyAnswers } = await timeStart(runtime, EMPTY, world)
    const { answers: modulesEvaluated } = await timeStart(runtime, MODULES, world)
    const { answers: serverAnswers, tokens } = await timeStart(runtime, SERVER, world, world.form)
    const [firstToken = Number.NaN, secondToken = Number.NaN] = tokens
    const first = serverAnswers + firstToken
    // The first round only fills the caches of the disk and of the runtime.
    if (round > 0)
      rounds.push({ runtime, emptyAnswers, modulesEvaluated, serverAnswers, firstToken: first, secondToken })
  }
  return median(rounds, ({ firstToken }) => firstToken)
}

async function timeStart(
  runtime: BenchRuntime,
  module: string,
  setup: Setup,
  form?: string,
): Promise<{ answers: number; tokens: number[] }> {
  const began = performance.now()
  const server = await start(runtime, module, setup, POLL_MILLISECONDS)
  const answers = performance.now() - began
  const tokens: number[] = []
  while (form !== undefined && tokens.length < 2) {
    const asked = performance.now()
    const response = await fetch(`${server.origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`${runtime}: ${response.status}`)
    tokens.push(performance.now() - asked)
  }
  await server.stop()
  return { answers, tokens }
}
