/** `edgemint keys`: manages the private key set of SIGNING_KEYS in a file, and the keys that a running server makes and stores. */

import { existsSync } from 'node:fs'
import process from 'node:process'
import { Command, Option } from 'commander'
import { ALGORITHMS } from '../keys/algorithms.ts'
import { generateKey, keyState } from '../keys/key_set.ts'
import { RETIRED_SKEW_SECONDS } from '../keys/keyring.ts'
import { rotate } from '../keys/rotation.ts'
import { epochSeconds } from '../lib/clock.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { wholeNumber } from './arguments.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { type ServerOptions, withServer } from './http.ts'
import { placesOf, readKeyFile, textOf, writeKeyFile } from './key_file.ts'
import { instant, printJson, printTable, warn } from './output.ts'
import {
  type AdvanceOptions,
  advanceServerKeys,
  listServerKeys,
  revokeServerKey,
  rewrapServerKeys,
} from './server_keys.ts'
import { wrapCommand } from './wrap_key.ts'

export function keysCommand(): Command {
  const command = new Command('keys').description('Generates and rotates signing keys.')
  const algorithms = [...ALGORITHMS.keys()]
  command
    .command('generate')
    .description('Generates a new key set with one key.')
    .addOption(new Option('--alg <alg>', 'algorithm of the key').choices(algorithms).default('RS256'))
    .option('--file <file>', 'file to create, mode 0600; it must not exist')
    .option('--print', 'print the key set even to a terminal')
    .option('--json', 'print JSON, also for errors; with --file the keys as in list, without private parts')
    .action(generate)
  addRotate(command, algorithms)
  withServer(command.command('list').description('Lists the keys and their states, without their private parts.'))
    .option('--file <file>', 'a key set (default: the keys of the server)')
    .addOption(lifetimeOption())
    .action((options: ListOptions) => (options.file === undefined ? listServerKeys(options) : list(withFile(options))))
  withServer(command.command('revoke <kid>').description('Removes a key of the server at once, and denies its tokens.'))
    .option('--yes', 'do not ask for confirmation')
    .action(revokeServerKey)
  withServer(
    command.command('rewrap').description('Encrypts all keys of the server under its first key-encryption key.'),
  ).action(rewrapServerKeys)
  return command.addCommand(wrapCommand())
}

function addRotate(command: Command, algorithms: readonly string[]): void {
  withServer(
    command
      .command('rotate')
      .description(
        'Announces a new key that signs later, in a file; with --now has the server sign with the announced key.',
      ),
  )
    .option('--file <file>', 'the set')
    .option('--now', 'have the server sign with the announced key at once, and announce another')
    .option('--force', 'with --now: also with a key that verifiers may not know yet')
    .addOption(
      new Option('--alg <alg>', 'algorithm of the new key (default: that of the first key)').choices(algorithms),
    )
    .option('--announce <seconds>', 'time until the new key signs, for verifiers to fetch it', wholeNumber, 3600)
    .addOption(lifetimeOption())
    .option('--yes', 'do not ask for confirmation')
    .action((options: RotateOptions & AdvanceOptions & { readonly now?: boolean }) => {
      if (options.now === undefined) return rotateKeys(withFile(options))
      if (options.file === undefined) return advanceServerKeys(options)
      throw new CliError('usage', 'use --now for the keys of a server, or --file for a key set')
    })
}

function withFile<T extends { readonly file?: string }>(options: T): T & { readonly file: string } {
  const { file } = options
  if (file === undefined) throw new CliError('usage', 'use --file for a key set, or --now for the keys of a server')
  return { ...options, file }
}

function lifetimeOption(): Option {
  return new Option('--lifetime <seconds>', 'ACCESS_TOKEN_LIFETIME of the server')
    .argParser(wholeNumber)
    .default(DEFAULT_TOKEN_LIFETIME_SECONDS)
}

interface GenerateOptions {
  readonly alg: string
  readonly file?: string
  readonly print?: boolean
  readonly json?: boolean
}

async function generate({ alg, file, print, json }: GenerateOptions): Promise<void> {
  const isSeen = file === undefined && process.stdout.isTTY
  if (isSeen && !print) {
    throw new CliError(
      'usage',
      'this would show a private key on the terminal; use --file to write it to a file, or --print to show it',
    )
  }
  if (file !== undefined && existsSync(file))
    throw new CliError('usage', `${file} already exists; use keys rotate to add a key`)
  const keys = [await generateKey(alg)]
  if (file === undefined) return void process.stdout.write(textOf(keys))
  writeKeyFile(file, keys)
  if (json) return list({ file, lifetime: DEFAULT_TOKEN_LIFETIME_SECONDS, json })
  warn(`wrote ${file}`)
  printNextStep(file, 'The key set is the value of SIGNING_KEYS.')
}

interface ListOptions extends ServerOptions {
  readonly file?: string
  readonly lifetime: number
}

type Filed<T> = T & { readonly file: string }

interface RotateOptions extends ListOptions {
  readonly alg?: string
  readonly announce: number
  readonly yes?: boolean
}

async function rotateKeys(options: Filed<RotateOptions>): Promise<void> {
  const { file, announce, lifetime, json } = options
  const held = await readKeyFile(file)
  const places = await placesOf(held)
  const alg = options.alg ?? places[0]?.alg ?? 'RS256'
  const waiting = places.find((key) => key.alg === alg && key.signsFrom > epochSeconds())
  if (waiting !== undefined) {
    const since = `The key ${waiting.kid} is announced and signs from ${instant(waiting.signsFrom)}.`
    await requireYes(`${since} Announce another one?`, options)
  }
  writeKeyFile(
    file,
    await rotate(held, {
      alg,
      announceSeconds: announce,
      retiredSeconds: lifetime + RETIRED_SKEW_SECONDS,
      now: epochSeconds(),
    }),
  )
  await list(options)
  if (!json) printNextStep(file, 'Do this now, so that verifiers fetch the new key before it signs.')
}

/** The server does not read the file itself. */
function printNextStep(file: string, why: string): void {
  warn(`Next: set SIGNING_KEYS on the server. ${why}`)
  warn(`  on Workers   npx wrangler secret put SIGNING_KEYS < ${file}`)
  warn(`  elsewhere    export SIGNING_KEYS="$(cat ${file})", and restart the server`)
}

async function list({ file, lifetime, json }: Filed<ListOptions>): Promise<void> {
  const keys = await placesOf(await readKeyFile(file))
  const rows = keys.map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: keyState(key, keys, epochSeconds(), lifetime + RETIRED_SKEW_SECONDS),
    signs_from: key.signsFrom,
  }))
  if (json) return printJson(rows)
  printTable(
    ['kid', 'alg', 'state', 'signs from'],
    rows.map(({ kid, alg, state, signs_from }) => [kid, alg, state, instant(signs_from || undefined)]),
  )
}
