/** `edgemint keys`: the private key set of SIGNING_KEYS in a file, made and turned. Nothing here needs a server. */

import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ALGORITHMS } from '../keys/algorithms.ts'
import { generateKey, keyState, readKeySet } from '../keys/key_set.ts'
import { rotate } from '../keys/rotation.ts'
import { type PrivateJwk, toSigningKey } from '../keys/signing_key.ts'
import { CliError } from './errors.ts'
import { instant, say, sayJson, sayTable, warn } from './output.ts'

/** As the server adds it. */
const SKEW_SECONDS = 60

const EXAMPLES = `
Examples:
  npx edgemint keys generate --file signing-keys.json
  npx edgemint keys rotate --file signing-keys.json
  npx wrangler secret put SIGNING_KEYS < signing-keys.json`

export function keysCommand(): Command {
  const command = new Command('keys').description('Makes and turns signing keys.').addHelpText('after', EXAMPLES)
  const algorithms = [...ALGORITHMS.keys()]
  command
    .command('generate')
    .description('Makes a new set of one key.')
    .addOption(new Option('--alg <alg>', 'its algorithm').choices(algorithms).default('RS256'))
    .option('--file <file>', 'where it is written, mode 0600; it must not be there yet')
    .option('--print', 'print it, even to a terminal')
    .action(generate)
  command
    .command('rotate')
    .description('Announces a new key that takes over later, and drops keys that are over.')
    .requiredOption('--file <file>', 'the set')
    .addOption(new Option('--alg <alg>', 'of the new key; default that of the first').choices(algorithms))
    .option('--announce <seconds>', 'how long verifiers have to learn of it', seconds, 3600)
    .option('--lifetime <seconds>', 'ACCESS_TOKEN_LIFETIME of the server', seconds, 1800)
    .option('--json', 'for scripts')
    .action(turn)
  command
    .command('list')
    .description('Tells where each key stands; never its private part.')
    .requiredOption('--file <file>', 'the set')
    .option('--lifetime <seconds>', 'ACCESS_TOKEN_LIFETIME of the server', seconds, 1800)
    .option('--json', 'for scripts')
    .action(list)
  return command
}

async function generate({ alg, file, print }: { alg: string; file?: string; print?: boolean }): Promise<void> {
  const isSeen = file === undefined && process.stdout.isTTY
  if (isSeen && !print) {
    throw new CliError('usage', 'this would show a private key on the terminal; --file writes it, --print shows it')
  }
  if (file !== undefined && existsSync(file))
    throw new CliError('usage', `${file} is there already; keys rotate adds a key`)
  const keys = [await generateKey(alg)]
  if (file === undefined) return say(toText(keys))
  write(file, keys)
  warn(`wrote ${file}`)
}

interface RotateOptions {
  readonly file: string
  readonly alg?: string
  readonly announce: number
  readonly lifetime: number
  readonly json?: boolean
}

async function turn({ file, alg, announce, lifetime, json }: RotateOptions): Promise<void> {
  const held = await read(file)
  const [first] = await placesOf(held)
  const options = {
    alg: alg ?? first?.alg ?? 'RS256',
    announceSeconds: announce,
    retiredSeconds: lifetime + SKEW_SECONDS,
  }
  write(file, await rotate(held, { ...options, now: now() }))
  await list({ file, lifetime, ...(json && { json }) })
}

async function list({ file, lifetime, json }: { file: string; lifetime: number; json?: boolean }): Promise<void> {
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
    rows.map(({ kid, alg, state, signs_from }) => [kid, alg, state, instant(signs_from)]),
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

/** Another process sees the old set or the new one, never a part. */
function write(file: string, keys: readonly PrivateJwk[]): void {
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, `${toText(keys)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
}

function toText(keys: readonly PrivateJwk[]): string {
  return JSON.stringify({ keys }, null, 2)
}

function seconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number of seconds.')
  return Number(text)
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
