/** Runs the tests of one runtime by its own runner, and reads the report that this wrote. */

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { readReport, type TestCase } from './junit.ts'
import type { Runtime, Suite } from './suites.ts'

export interface Failure {
  readonly file: string
  readonly name: string
  readonly message: string
}

export interface Outcome {
  readonly runtime: Runtime
  readonly files: number
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly Failure[]
  readonly seconds: number
}

const here = (file: string): string => join(import.meta.dirname, file)

/** Each writes `report`; without `verbose`, nothing about tests that pass. */
const COMMANDS: Readonly<Record<Runtime, (report: string, verbose: boolean) => readonly string[]>> = {
  workerd: (report, verbose) => [
    ...['vitest', 'run', '--root', '.', '--config', here('vitest.config.ts')],
    ...[`--reporter=${verbose ? 'verbose' : 'agent'}`, '--reporter=junit', `--outputFile.junit=${report}`],
  ],
  deno: (report, verbose) => [
    ...['deno', 'test', '--no-check', '--allow-all', '--unstable-kv', '--quiet', `--junit-path=${report}`],
    ...(verbose ? [] : ['--reporter=dot']),
  ],
  bun: (report, verbose) => [
    ...['bun', 'test', '--timeout', '60000', '--reporter=junit', `--reporter-outfile=${report}`],
    ...(verbose ? [] : ['--only-failures']),
  ],
  node: (report, verbose) => [
    // By default one file less than there are cores, although most files wait for servers.
    ...['node', '--test', `--test-concurrency=${availableParallelism()}`],
    ...[`--test-reporter=${here('node_report.ts')}`, `--test-reporter-destination=${report}`],
    ...[`--test-reporter=${verbose ? 'spec' : here('node_output.ts')}`, '--test-reporter-destination=stdout'],
  ],
}

/** Deno prints each dot on a line of its own where there is no terminal. */
const DOT = /^[.,!]$/

/**
 * workerd logs, besides throwing, that BoringSSL cannot sign with an RSA key whose numbers do not belong together. The tests in
 * test/keys import such keys on purpose. Shown when the run fails.
 */
const EXPECTED =
  /^e = workerd\/api\/crypto\/keys\.c\+\+:\d+: failed: OpenSSL call failed: EVP_DigestSignFinal.*RSA routines/

const MAXIMUM_LINES = 40

export async function runSuite({ runtime, files }: Suite, verbose: boolean): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  const report = join(folder, 'report.xml')
  const begin = performance.now()
  const { end, printed, withheld } = await run(
    [...COMMANDS[runtime](report, verbose), ...files.map((file) => `./${file}`)],
    verbose,
    // Every start of the command line, of a server and of a test file loads the same modules.
    { NODE_COMPILE_CACHE: join(folder, 'compiled') },
  )
  const { cases, files: seen } = readReport(existsSync(report) ? readFileSync(report, 'utf8') : '')
  rmSync(folder, { recursive: true })
  const failures = failuresOf(cases, printed)
  if (cases.length > 0) {
    const missing = files.filter((file) => !seen.has(file))
    failures.push(...missing.map((file) => ({ file, name: file, message: `no test of it ran\n${printed(file)}` })))
  }
  // A crash, a file that Deno cannot load, an error that is of no test.
  const isUnexplained = cases.length === 0 || (failures.length === 0 && end !== 0)
  if (isUnexplained) failures.push({ file: runtime, name: `ended with ${end}`, message: printed() })
  if (failures.length > 0) process.stdout.write(withheld.join(''))
  const skipped = cases.filter(({ isSkipped }) => isSkipped).length
  const passed = cases.filter(({ message, isSkipped }) => message === undefined && !isSkipped).length
  return { runtime, files: files.length, passed, skipped, failures, seconds: (performance.now() - begin) / 1000 }
}

function failuresOf(cases: readonly TestCase[], printed: (file: string) => string): Failure[] {
  return cases.flatMap(({ file, name, message }) => {
    if (message === undefined) return []
    return [{ file, name, message: name === file ? `${message}\n${printed(file)}` : message }]
  })
}

interface Ended {
  /** The exit code, or the signal. */
  readonly end: number | string
  /** Returns the last lines that were printed under the name of the file; without a file, the last of all. */
  printed(file?: string): string
  readonly withheld: readonly string[]
}

/** Runs a command and passes on what it prints, line by line. */
async function run(
  [command = '', ...options]: readonly string[],
  verbose: boolean,
  environment: Readonly<Record<string, string>>,
): Promise<Ended> {
  const env = { ...process.env, ...environment }
  const child = spawn(command, options, { stdio: ['inherit', 'pipe', 'pipe'], env })
  const withheld: string[] = []
  const sections = new Map<string, string[]>([['', []]])
  const keep = (section: string, line: string): void => {
    const lines = sections.get(section) ?? []
    sections.set(section, [...lines, line].slice(-MAXIMUM_LINES))
  }
  let [current, isStack] = ['', false]
  const take = (line: string): void => {
    const plain = stripVTControlCharacters(line)
    const isExpected: boolean = EXPECTED.test(plain) || (isStack && plain.startsWith('stack: '))
    isStack = isExpected && !plain.startsWith('stack: ')
    if (!verbose && isExpected) withheld.push(`${line}\n`)
    if (!verbose && (isExpected || DOT.test(plain))) return
    process.stdout.write(`${line}\n`)
    current = /^(\S+\.test\.ts):$/.exec(plain)?.[1] ?? current
    keep('', plain)
    if (current !== '') keep(current, plain)
  }
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', take)
  const end = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code ?? signal ?? ''))
  })
  return { end, printed: (file = '') => (sections.get(file) ?? []).join('\n'), withheld }
}
