import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from '#test'
import { generator } from '../bench/load.ts'

/** Command lines of the processes that have the mark in their environment, as children inherit it; read from Linux' /proc. */
function commandsOf(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readProcess(name, 'environ').includes(`BENCH_MARK=${mark}\0`))
    .map((pid) => readProcess(pid, 'cmdline').replaceAll('\0', ' '))
}

/** Returns nothing for a process that has ended in the meantime. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Starts a benchmark, sends the signal once a process of its own matches, and waits for the end. */
async function interrupt(words: readonly string[], signal: NodeJS.Signals, awaited: RegExp): Promise<number | null> {
  const mark = randomUUID()
  const options = { env: { ...process.env, BENCH_MARK: mark }, stdio: 'ignore' } as const
  const bench = spawn('node', ['bench/run.ts', ...words], options)
  const ended = once(bench, 'exit')
  while (!commandsOf(mark).some((command) => awaited.test(command))) {
    assert.equal(bench.exitCode, null)
    await setTimeout(50)
  }
  bench.kill(signal)
  const [code] = await ended
  // The kernel takes a moment to remove killed processes.
  for (let wait = 0; wait < 100 && commandsOf(mark).length > 0; wait++) await setTimeout(50)
  assert.deepEqual(commandsOf(mark), [])
  return code
}

/** autocannon loads from within the benchmark, so that only the server can be waited for. */
const LOADED = generator === 'wrk' ? /^wrk / : /^node src\/index\.ts/

describe('npm run bench, interrupted', () => {
  for (const [moment, words, signal, awaited, code] of [
    ['while wrangler bundles', ['workerd', 'ES256'], 'SIGTERM', /wrangler.* deploy/, 143],
    ['while servers start', ['workerd', 'ES256'], 'SIGINT', /^\S*workerd serve/, 130],
    ['under load', ['node', 'ES256'], 'SIGINT', LOADED, 130],
  ] as const) {
    test(`${moment}: leaves no process`, async () => {
      assert.equal(await interrupt(words, signal, awaited), code)
    })
  }
})
