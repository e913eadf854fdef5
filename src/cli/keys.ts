/** `edgemint keys`: manages the private key set of SIGNING_KEYS in a file. None of these commands needs a server. */

import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { Command, Option } from 'commander'
import { ALGORITHMS } from '../keys/algorithms.ts'
import { generateKey, keyState, readKeySet } from '../keys/key_set.ts'
import { RETIRED_SKEW_SECONDS } from '../keys/keyring.ts'
import { rotate } from '../keys/rotation.ts'
import { type PrivateJwk, toSigningKey } from '../keys/signing_key.ts'
import { epochSeconds } from '../lib/clock.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { wholeNumber } from './arguments.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { instant, printJson, printTable, warn } from './output.ts'

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
  command
    .command('rotate')
    .description('Announces a new key that signs later, and removes keys that are no longer needed.')
    .requiredOption('--file <file>', 'the set')
    .addOption(
      new Option('--alg <alg>', 'algorithm of the new key (default: that of the first key)').choices(algorithms),
    )
    .option('--announce <seconds>', 'time until the new key signs, for verifiers to fetch it', wholeNumber, 3600)
    .addOption(lifetimeOption())
    .option('--yes', 'do not ask for confirmation if a key is already announced')
    .option('--json', 'print JSON, also for errors')
    .action(rotateKeys)
  command
    .command('list')
    .description('Lists the keys and their states, without their private parts.')
    .requiredOption('--file <file>', 'the set')
    .addOption(lifetimeOption())
    .option('--json', 'print JSON, also for errors')
    .action(list)
  return command
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
  if (file === undefined) return printJson({ keys })
  write(file, keys)
  if (json) return list({ file, lifetime: DEFAULT_TOKEN_LIFETIME_SECONDS, json })
  warn(`wrote ${file}`)
  printNextStep(file, 'The key set is the value of SIGNING_KEYS.')
}

interface ListOptions {
  readonly file: string
  readonly lifetime: number
  readonly json?: boolean
}

interface RotateOptions extends ListOptions {
  readonly alg?: string
  readonly announce: number
  readonly yes?: boolean
}

async function rotateKeys(options: RotateOptions): Promise<void> {
  const { file, announce, lifetime, json } = options
  const held = await read(file)
  const places = await placesOf(held)
  const alg = options.alg ?? places[0]?.alg ?? 'RS256'
  const waiting = places.find((key) => key.alg === alg && key.signsFrom > epochSeconds())
  if (waiting !== undefined) {
    const since = `The key ${waiting.kid} is announced and signs from ${instant(waiting.signsFrom)}.`
    await requireYes(`${since} Announce another one?`, options)
  }
  write(
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

async function list({ file, lifetime, json }: ListOptions): Promise<void> {
  const keys = await placesOf(await read(file))
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

async function read(file: string): Promise<readonly PrivateJwk[]> {
  try {
    return await readKeySet(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}

async function placesOf(jwks: readonly PrivateJwk[]): Promise<{ kid: string; alg: string; signsFrom: number }[]> {
  try {
    return await Promise.all(jwks.map(toSigningKey))
  } catch (error) {
    throw new CliError('usage', `the set ${error instanceof Error ? error.message : error}`)
  }
}

/** Replaces the file atomically: another process reads either the old set or the new one. */
function write(file: string, keys: readonly PrivateJwk[]): void {
  const temporary = `${file}.${process.pid}`
  try {
    writeFileSync(temporary, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    chmodSync(temporary, 0o600)
    renameSync(temporary, file)
  } catch (error) {
    throw new CliError('usage', error instanceof Error ? error.message : `${error}`)
  }
}
