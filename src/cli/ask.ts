/** What a person is asked for. */

import process from 'node:process'
import { confirm, isCancel, password } from '@clack/prompts'
import { CliError } from './errors.ts'

const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** Gives the operator's token: from the environment, else typed unseen. It never stands in an argument, which others could see. */
export async function readToken(): Promise<string> {
  const { EDGEMINT_TOKEN } = process.env
  if (EDGEMINT_TOKEN) return EDGEMINT_TOKEN
  if (!isTerminal()) throw new CliError('usage', 'EDGEMINT_TOKEN is not set, and there is no terminal to ask for it')
  const token = await password({ message: "The operator's token", output: process.stderr })
  if (isCancel(token) || !token) throw new CliError('declined', 'no token given')
  return token
}

/** Asks before what cannot be undone. */
export async function requireYes(question: string, { yes = false }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!isTerminal()) throw new CliError('usage', 'there is no terminal to confirm this; --yes does')
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new CliError('declined', 'nothing was changed')
}
