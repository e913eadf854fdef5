/** `npx edgemint`: manages the clients and resource servers of a running server, and signing keys in a file. */

import process from 'node:process'
import { CommanderError } from 'commander'
import { CliError, EXIT, type Failure } from './errors.ts'
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
  // Commander has already printed its own errors.
  const isPrinted = error instanceof CommanderError && !isJson
  const { kind, message } = failureOf(error)
  if (isJson) warnJson({ error: kind, message, exit_code: EXIT[kind] })
  else if (!isPrinted) warn(`edgemint: ${message}`)
  return EXIT[kind]
}

function failureOf(error: unknown): { readonly kind: Failure; readonly message: string } {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError) return { kind: 'usage', message: error.message.replace(/^error: /, '') }
  return { kind: 'internal', message: `unexpected ${error}` }
}
