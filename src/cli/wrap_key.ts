/** `edgemint keys wrap`: makes a key-encryption key that only a key management service can decrypt. */

import process from 'node:process'
import { Command } from 'commander'
import { readCredentials } from '../kms/credentials.ts'
import { type KeyUrl, readKeyUrl } from '../kms/key_url.ts'
import { serviceTransport } from '../kms/transport.ts'
import { wrapNewKey } from '../kms/wrapped_key.ts'
import { causeText } from '../lib/cause.ts'
import { epochSeconds } from '../lib/clock.ts'
import { CliError } from './errors.ts'
import { print, printJson } from './output.ts'

interface WrapOptions {
  readonly issuer: string
  readonly id?: string
  readonly json?: boolean
}

const ID = /^[\w.-]{1,64}$/

export function wrapCommand(): Command {
  return new Command('wrap')
    .description('Makes an entry of KEY_ENCRYPTION_KEYS whose key only a key management service can decrypt.')
    .argument('<url>', 'vault://HOST/MOUNT/KEY or awskms://REGION/KEY, a key that encrypts')
    .requiredOption('--issuer <url>', 'ISSUER of the server; the entry works for no other')
    .option('--id <id>', 'name of the entry (default: the time in seconds)')
    .option('--json', 'print JSON, also for errors')
    .action(wrap)
}

/** The credentials are those of the environment, as for the server. */
async function wrap(text: string, { issuer, id = String(epochSeconds()), json }: WrapOptions): Promise<void> {
  if (!ID.test(id)) throw new CliError('usage', '--id must be 1 to 64 letters, digits, dots, hyphens and underscores')
  const url = readUrl(text)
  const credentials = readCredentials([url.key], process.env)
  if (isProblems(credentials))
    throw new CliError('usage', credentials.map(({ setting, problem }) => `${setting} ${problem}`).join('; '))
  const call = serviceTransport({ fetch: (to, init) => fetch(to, init) })
  try {
    const entry = `${id}:${await wrapNewKey(text, url, issuer, { credentials, call, now: epochSeconds })}`
    if (json) printJson({ id, entry })
    else print(entry)
  } catch (error) {
    throw new CliError('unreachable', error instanceof Error ? causeText(error.cause) : 'the service does not answer')
  }
}

function readUrl(text: string): KeyUrl {
  if (text.includes('?')) throw new CliError('usage', 'the URL must have no parameters')
  try {
    return readKeyUrl(text)
  } catch (error) {
    throw new CliError('usage', `the argument ${error instanceof Error ? error.message : ''}`)
  }
}

function isProblems<T extends object, P>(outcome: T | readonly P[]): outcome is readonly P[] {
  return Array.isArray(outcome)
}
