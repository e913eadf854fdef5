/**
 * `edgemint complete`: prints a script that completes the command in a shell. The script contains all words, so that it starts
 * no process for a completion, and works for `edgemint`, `npx edgemint` and `bunx edgemint`.
 */

import process from 'node:process'
import { Argument, type Command } from 'commander'
import { type Candidates, candidatesOf } from './candidates.ts'
import { bashScript } from './completion_bash.ts'
import { fishScript } from './completion_fish.ts'
import { powershellScript } from './completion_powershell.ts'
import { zshScript } from './completion_zsh.ts'

const SCRIPTS: Readonly<Record<string, (candidates: readonly Candidates[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
  powershell: powershellScript,
}

export function addCompletion(program: Command): void {
  program
    .command('complete')
    .description('Prints a script that completes this command in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: string) => {
      process.stdout.write(SCRIPTS[shell]?.(candidatesOf(program, '')) ?? '')
    })
}
