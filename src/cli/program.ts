/** All commands of `npx edgemint`. */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { clientsCommand } from './clients.ts'
import { addCompletion } from './completion.ts'
import { EXAMPLES } from './examples.ts'
import { initCommand } from './init.ts'
import { keysCommand } from './keys.ts'
import { warn } from './output.ts'
import { resourcesCommand } from './resources.ts'
import { serveCommand } from './serve.ts'

const NOTES = `
Environment:
  EDGEMINT_URL     URL of the server, default http://localhost:8080; --url overrides it
  EDGEMINT_TOKEN   the operator's token, REGISTRATION_TOKEN of the server; prompted for if not set
  EDGEMINT_CLIENT_SECRET   the client's secret, for clients test; prompted for if not set

Exit codes:
  0  success     1  refused by the server     2  invalid usage
  3  the server cannot be reached             4  not confirmed        5  an error of edgemint
  130  interrupted

With --json, errors are printed to standard error as one line of JSON: error, message, exit_code.

Completion:
  source <(npx edgemint complete bash)        source <(npx edgemint complete zsh)
  npx edgemint complete fish | source         also for npx edgemint and bunx edgemint
  npx edgemint complete powershell | Out-String | Invoke-Expression`

/** @param isJson whether errors are printed as JSON instead of by commander */
export function makeProgram(isJson: boolean): Command {
  const program = new Command('edgemint')
    .description('Manages an edgemint token server.')
    .version(readVersion())
    .addCommand(serveCommand())
    .addCommand(initCommand())
    .addCommand(clientsCommand())
    .addCommand(resourcesCommand())
    .addCommand(keysCommand())
  addCompletion(program)
  prepare(program, [], isJson)
  return program.addHelpText('after', NOTES)
}

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

/** Makes a command and its subcommands throw instead of exiting, so that the exit code is chosen in one place. */
function prepare(command: Command, words: readonly string[], isJson: boolean): void {
  const examples = EXAMPLES[words.join(' ')] ?? []
  command
    .exitOverride()
    .addHelpText('after', ['\nExamples:', ...examples.map((example) => `  ${example}`)].join('\n'))
    .configureOutput({ outputError: (text) => printError(text, isJson) })
    .on('beforeHelp', () => refuseUnknown(command))
  if (!isJson) command.showHelpAfterError('(use --help for more)')
  for (const each of command.commands) prepare(each, [...words, each.name()], isJson)
}

function printError(text: string, isJson: boolean): void {
  if (!isJson) for (const line of text.trimEnd().split('\n')) warn(line)
}

/** Refuses an unknown subcommand before `--help`, for which commander would print the help of the group. */
function refuseUnknown(command: Command): void {
  const [word] = command.args
  if (command.commands.length === 0 || word === undefined || word.startsWith('-')) return
  command.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' })
}
