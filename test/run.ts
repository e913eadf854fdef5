/**
 * `npm test`: the suite on every runtime, one after the other. Names of runtimes, test files and folders narrow it; `--verbose` or
 * `VERBOSE=1` lists the tests that pass too.
 */

import process from 'node:process'
import { type Outcome, runSuite } from './support/run_suite.ts'
import { chooseSuites, type Suite } from './support/suites.ts'

const MAXIMUM_LINES = 30
const ARGUMENTS_WRONG = 2

async function main(words: readonly string[]): Promise<number> {
  const verbose = words.includes('--verbose') || process.env['VERBOSE'] === '1'
  let suites: readonly Suite[]
  try {
    suites = chooseSuites(words.filter((word) => word !== '--verbose'))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(error.message)
    return ARGUMENTS_WRONG
  }
  const outcomes: Outcome[] = []
  for (const suite of suites) {
    console.log(`\n== ${suite.runtime}: ${suite.files.length} files ==`)
    outcomes.push(await runSuite(suite, verbose))
  }
  return conclude(outcomes)
}

function summary({ runtime, files, passed, skipped, failures, seconds }: Outcome): string {
  const more = skipped > 0 ? `, ${skipped} skipped` : ''
  const tests = `${passed} tests passed, ${failures.length} failed${more}`
  return `${runtime.padEnd(8)} ${files} files, ${tests}, ${Math.round(seconds)} s`
}

/** Prints what all runtimes had; the last line is for CI. Returns the exit code. */
function conclude(outcomes: readonly Outcome[]): number {
  const failed = outcomes.filter(({ failures }) => failures.length > 0)
  for (const { runtime, failures } of failed) {
    for (const { file, name, message } of failures)
      console.log(`\nFAILED on ${runtime}: ${file}\n  ${name}\n${shorten(message)}`)
  }
  console.log(`\n${outcomes.map(summary).join('\n')}`)
  console.log(`runtimes: ${outcomes.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 || outcomes.length === 0 ? 1 : 0
}

/** Without the frames of the runner, indented, and not longer than a screen. */
function shorten(message: string): string {
  const isOfRunner = (line: string): boolean =>
    /^\s*(at|❯) .*(\bnode:|\bext:|node_modules|node-internal:|<anonymous>\)?$)/.test(line)
  const lines = message.split('\n').filter((line) => line.trim() !== '' && !isOfRunner(line))
  const more = lines.length > MAXIMUM_LINES ? ['…'] : []
  return [...lines.slice(0, MAXIMUM_LINES), ...more].map((line) => `    ${line}`).join('\n')
}

process.exitCode = await main(process.argv.slice(2))
