/** Input from the operator: the token, and confirmations. */

import process from 'node:process'
import { text } from 'node:stream/consumers'
import { confirm, isCancel, password, text as textPrompt } from '@clack/prompts'
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
  const [name, given] = EDGEMINT_TOKEN
    ? ['EDGEMINT_TOKEN', EDGEMINT_TOKEN]
    : ['The token', await askSecret("The operator's token", 'EDGEMINT_TOKEN')]
  const token = given.trim()
  if (TOKEN.test(token)) return token
  const problem = /\s/.test(token)
    ? 'contains spaces or line breaks'
    : 'contains characters that are invalid in a token'
  throw new CliError('usage', `${name} is not an operator's token: it is empty or ${problem}`)
}

/**
 * Returns the secret of a client: from standard input if it is asked to, else from the environment, else from a prompt without
 * echo. There is no option for it, because other users of the machine can see arguments.
 */
export async function readSecret({ secretStdin = false }: { secretStdin?: boolean }): Promise<string> {
  if (secretStdin) return nonEmptySecret((await text(process.stdin)).replace(/\r?\n$/, ''), 'standard input')
  const { EDGEMINT_CLIENT_SECRET } = process.env
  if (EDGEMINT_CLIENT_SECRET) return EDGEMINT_CLIENT_SECRET
  return askSecret("The client's secret", 'EDGEMINT_CLIENT_SECRET', '; use it, --secret-stdin or --client-key')
}

function nonEmptySecret(secret: string, from: string): string {
  if (secret === '') throw new CliError('usage', `${from} contains no secret`)
  return secret
}

async function askSecret(message: string, variable: string, others = ''): Promise<string> {
  if (!isTerminal())
    throw new CliError('usage', `${variable} is not set, and there is no terminal to prompt for it${others}`)
  const secret = await password({ message, output: process.stderr })
  if (isCancel(secret) || !secret) throw new CliError('declined', 'nothing was entered')
  return secret
}

/** Prompts for a text. Returns undefined if there is no terminal. @throws CliError `declined` if nothing is entered */
export async function askText(message: string): Promise<string | undefined> {
  if (!isTerminal()) return undefined
  const answer = await textPrompt({ message, output: process.stderr })
  if (isCancel(answer) || !answer) throw new CliError('declined', 'nothing was entered')
  return answer
}

/** Asks for confirmation unless `--yes` is set. @throws CliError if the operator declines or there is no terminal */
export async function requireYes(question: string, { yes = false }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!isTerminal()) throw new CliError('usage', `${question} There is no terminal to confirm this; use --yes`)
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new CliError('declined', 'nothing was changed')
}
