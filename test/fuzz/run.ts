/**
 * `npm run fuzz -- --seconds N [--seed S] [--reader NAME | --runtime NAME]`: fuzzes each reader of foreign input, then the server as
 * a process on each runtime, each for N seconds. `--inputs N` ends each reader, and each runtime, after so many instead.
 */

import process from 'node:process'
import { parseArgs } from 'node:util'
import { RUNTIMES } from '../support/runtimes.ts'
import { fuzzRuntime } from './http/run.ts'
import { READERS } from './readers.ts'

const CHUNK = 2000

/** For what hangs. A machine that is busy with other work makes a server slow, so answers after a second are only counted. */
const LIMIT_MILLISECONDS = 10_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    reader: { type: 'string', multiple: true },
    runtime: { type: 'string', multiple: true },
  },
})
const seed = Number(values.seed)

/** Returns a function that reports whether to go on after so many inputs. */
function until(): (done: number) => boolean {
  const end = performance.now() + Number(values.seconds) * 1000
  return (done) => (values.inputs === undefined ? performance.now() < end : done < Number(values.inputs))
}

let failed = 0
for (const reader of READERS.filter(({ name }) => (values.reader ? values.reader.includes(name) : !values.runtime))) {
  const goesOn = until()
  let [inputs, failure]: [number, string | undefined] = [0, undefined]
  while (failure === undefined && goesOn(inputs)) {
    failure = await reader.run(CHUNK, seed + inputs)
    inputs += CHUNK
  }
  console.log(
    `${reader.name}: ${inputs} inputs from seed ${seed}, ${failure === undefined ? 'none failed' : `FAILED\n${failure}`}`,
  )
  if (failure !== undefined) failed++
}
for (const runtime of RUNTIMES.filter((name) => (values.runtime ? values.runtime.includes(name) : !values.reader))) {
  const report = await fuzzRuntime(runtime, { seed, goesOn: until(), limitMilliseconds: LIMIT_MILLISECONDS })
  const { requests, statuses, slowestMilliseconds, slow, failures } = report
  const slowest = `${slow} over 1 s, slowest ${Math.round(slowestMilliseconds)} ms`
  console.log(
    `${runtime}: ${requests} requests from seed ${seed}, ${slowest}, ${failures.length} failed; ${JSON.stringify(statuses)}`,
  )
  for (const failure of failures) console.log(failure)
  failed += failures.length
}
process.exitCode = failed > 0 ? 1 : 0
