/** Input from the operator: the token, and confirmations. */

import process from 'node:process'
import { confirm, isCancel, password } from '@clack/prompts'
import { CliError } from './errors.ts'

/** RFC 6750 §2.1, b64token. */
const TOKEN = /^[\w.~+/-]+=*$/

const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/**
 * Returns the operator's token from the environment, or prompts for it without echo. There is no option for it, because other
 * users of the machine can see arguments.
 *
 * @throws CliError if there is no token, or it contains invalid characters; the message does not quote it
 */
export async function readToken(): Promise<string> {
  const { EDGEMINT_TOKEN } = process.env
  const [name, given] = EDGEMINT_TOKEN ? ['EDGEMINT_TOKEN', EDGEMINT_TOKEN] : ['The token', await askToken()]
  const token = given.trim()
  if (TOKEN.test(token)) return token
  const problem = /\s/.test(token)
    ? 'contains spaces or line breaks'
    : 'contains characters that are invalid in a token'
  throw new CliError('usage', `${name} is not an operator's token: it is empty or ${problem}`)
}

async function askToken(): Promise<string> {
  if (!isTerminal()) throw new CliError('usage', 'EDGEMINT_TOKEN is not set, and there is no terminal to prompt for it')
  const token = await password({ message: "The operator's token", output: process.stderr })
  if (isCancel(token) || !token) throw new CliError('declined', 'no token was entered')
  return token
}

/** Asks for confirmation unless `--yes` is set. @throws CliError if the operator declines or there is no terminal */
export async function requireYes(question: string, { yes = false }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!isTerminal()) throw new CliError('usage', `${question} There is no terminal to confirm this; use --yes`)
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new CliError('declined', 'nothing was changed')
}
