/** `edgemint keys`: the private key set of SIGNING_KEYS in a file. No command here needs a server. */

import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { Command, Option } from 'commander'
import { ALGORITHMS } from '../keys/algorithms.ts'
import { generateKey, keyState, readKeySet } from '../keys/key_set.ts'
import { rotate } from '../keys/rotation.ts'
import { type PrivateJwk, toSigningKey } from '../keys/signing_key.ts'
import { wholeNumber } from './arguments.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { instant, sayJson, sayTable, warn } from './output.ts'

/** As the server adds it. */
const SKEW_SECONDS = 60

export function keysCommand(): Command {
  const command = new Command('keys').description('Generates and rotates signing keys.')
  const algorithms = [...ALGORITHMS.keys()]
  command
    .command('generate')
    .description('Generates a new set of one key.')
    .addOption(new Option('--alg <alg>', 'its algorithm').choices(algorithms).default('RS256'))
    .option('--file <file>', 'where it is written, mode 0600; the file must not exist')
    .option('--print', 'print it, even to a terminal')
    .action(generate)
  command
    .command('rotate')
    .description('Announces a new key that signs later, and removes keys that are no longer needed.')
    .requiredOption('--file <file>', 'the set')
    .addOption(new Option('--alg <alg>', 'of the new key; default that of the first').choices(algorithms))
    .option('--announce <seconds>', 'how long verifiers have to learn of it', wholeNumber, 3600)
    .option('--lifetime <seconds>', 'ACCESS_TOKEN_LIFETIME of the server', wholeNumber, 1800)
    .option('--yes', 'do not ask for confirmation while an announced key waits')
    .option('--json', 'print JSON, errors too')
    .action(turn)
  command
    .command('list')
    .description('Lists the keys and their states, without their private parts.')
    .requiredOption('--file <file>', 'the set')
    .option('--lifetime <seconds>', 'ACCESS_TOKEN_LIFETIME of the server', wholeNumber, 1800)
    .option('--json', 'print JSON, errors too')
    .action(list)
  return command
}

async function generate({ alg, file, print }: { alg: string; file?: string; print?: boolean }): Promise<void> {
  const isSeen = file === undefined && process.stdout.isTTY
  if (isSeen && !print) {
    throw new CliError('usage', 'this would show a private key on the terminal; --file writes it, --print shows it')
  }
  if (file !== undefined && existsSync(file))
    throw new CliError('usage', `${file} exists already; keys rotate adds a key`)
  const keys = [await generateKey(alg)]
  if (file === undefined) return sayJson({ keys })
  write(file, keys)
  warn(`wrote ${file}`)
  sayNextStep(file, 'It is the value of SIGNING_KEYS.')
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

async function turn(options: RotateOptions): Promise<void> {
  const { file, announce, lifetime, json } = options
  const held = await read(file)
  const places = await placesOf(held)
  const alg = options.alg ?? places[0]?.alg ?? 'RS256'
  const waiting = places.find((key) => key.alg === alg && key.signsFrom > now())
  if (waiting !== undefined) {
    const since = `The key ${waiting.kid} is announced and signs from ${instant(waiting.signsFrom)}.`
    await requireYes(`${since} Announce another one?`, options)
  }
  write(
    file,
    await rotate(held, { alg, announceSeconds: announce, retiredSeconds: lifetime + SKEW_SECONDS, now: now() }),
  )
  await list(options)
  if (!json) sayNextStep(file, 'Do it at once, so that verifiers learn of a new key before it signs.')
}

/** A file helps only when the server has its content. */
function sayNextStep(file: string, why: string): void {
  warn(`Next: give it to the server. ${why}`)
  warn(`  on Workers   npx wrangler secret put SIGNING_KEYS < ${file}`)
  warn(`  elsewhere    export SIGNING_KEYS="$(cat ${file})", and restart the server`)
}

async function list({ file, lifetime, json }: ListOptions): Promise<void> {
  const keys = await placesOf(await read(file))
  const rows = keys.map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: keyState(key, keys, now(), lifetime + SKEW_SECONDS),
    signs_from: key.signsFrom,
  }))
  if (json) return sayJson(rows)
  sayTable(
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

/** Replaces the file at once: another process reads the old set or the new one, never a part. */
function write(file: string, keys: readonly PrivateJwk[]): void {
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
