/** What the operator is asked for. */

import process from 'node:process'
import { confirm, isCancel, password } from '@clack/prompts'
import { CliError } from './errors.ts'

/** RFC 6750 §2.1, b64token. */
const TOKEN = /^[\w.~+/-]+=*$/

const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/**
 * Returns the operator's token from the environment, or typed unseen. There is no option for it: other users see arguments.
 *
 * @throws CliError without a token, or for characters that no token has; the message does not quote it
 */
export async function readToken(): Promise<string> {
  const { EDGEMINT_TOKEN } = process.env
  const [name, given] = EDGEMINT_TOKEN ? ['EDGEMINT_TOKEN', EDGEMINT_TOKEN] : ['The token', await askToken()]
  const token = given.trim()
  if (TOKEN.test(token)) return token
  const what = /\s/.test(token) ? 'spaces or line breaks within it' : 'characters that no token has'
  throw new CliError('usage', `${name} is no operator's token: it is empty or has ${what}`)
}

async function askToken(): Promise<string> {
  if (!isTerminal()) throw new CliError('usage', 'EDGEMINT_TOKEN is not set, and there is no terminal to ask for it')
  const token = await password({ message: "The operator's token", output: process.stderr })
  if (isCancel(token) || !token) throw new CliError('declined', 'no token was entered')
  return token
}

/** Asks for confirmation, unless `--yes` confirms. @throws CliError when it is declined or there is no terminal */
export async function requireYes(question: string, { yes = false }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!isTerminal()) throw new CliError('usage', `${question} There is no terminal to confirm this; --yes does`)
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new CliError('declined', 'nothing was changed')
}
