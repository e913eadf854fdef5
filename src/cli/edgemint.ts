/** `npx edgemint`: manages the clients and resource servers of a running server, and signing keys in a file. */

import process from 'node:process'
import { CommanderError } from 'commander'
import { CliError, EXIT } from './errors.ts'
import { ignoreClosedPipes, warn, warnJson } from './output.ts'
import { makeProgram } from './program.ts'

const isJson = process.argv.includes('--json')

ignoreClosedPipes()
try {
  await makeProgram(isJson).parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Prints an error. Returns the exit code. */
function report(error: unknown): number {
  // Commander ends --help and --version with an error of exit code 0, too.
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const isKnown = error instanceof CliError || error instanceof CommanderError
  if (!isKnown) throw error
  const kind = error instanceof CliError ? error.kind : 'usage'
  const message = error.message.replace(/^error: /, '')
  if (isJson) warnJson({ error: kind, message, exit_code: EXIT[kind] })
  // Commander has already printed its own errors.
  else if (error instanceof CliError) warn(`edgemint: ${message}`)
  return EXIT[kind]
}
