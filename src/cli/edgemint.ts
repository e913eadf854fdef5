#!/usr/bin/env -S node --max-semi-space-size=2 --max-old-space-size=1024
// Young garbage is collected early: an import of a hundred thousand clients then stays under 150 MB instead of 300.
/** `npx edgemint`: clients and resource servers of a running server, and signing keys in a file. */

import process from 'node:process'
import completion from '@bomb.sh/tab/commander'
import { Command, CommanderError } from 'commander'
import { clientsCommand } from './clients.ts'
import { CliError, EXIT } from './errors.ts'
import { importCommand } from './import.ts'
import { keysCommand } from './keys.ts'
import { warn } from './output.ts'
import { resourcesCommand } from './resources.ts'

const NOTES = `
Environment:
  EDGEMINT_URL     the server, default http://localhost:8080; --url goes before it
  EDGEMINT_TOKEN   the operator's token, REGISTRATION_TOKEN of the server; asked for when it is not set

Exit codes:
  0  done        1  the server refused        2  wrong usage
  3  the server cannot be reached             4  not confirmed

Completion:
  source <(npx edgemint complete bash)        source <(npx edgemint complete zsh)`

const program = new Command('edgemint')
  .description('Manages an edgemint token server.')
  .addCommand(clientsCommand().addCommand(importCommand()))
  .addCommand(resourcesCommand())
  .addCommand(keysCommand())
  .addHelpText('after', NOTES)
  .showHelpAfterError('(--help tells more)')
throwErrors(program)
completion(program)

/** Every command throws instead of ending the process, so that the exit code is decided in one place. */
function throwErrors(command: Command): void {
  command.exitOverride()
  for (const each of command.commands) throwErrors(each)
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has told the error itself; asked for help, it throws with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage
  if (!(error instanceof CliError)) throw error
  warn(`edgemint: ${error.message}`)
  return error.exitCode
}
