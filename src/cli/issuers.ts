/** `edgemint issuers`: manages the trusted issuers of a running server. */

import { Command } from 'commander'
import { PRESET_NAMES, usualIssuerOf } from '../issuers/presets.ts'
import { accept, connect, pagesOf, type Send } from './api.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { type Members, type ServerOptions, withServer } from './http.ts'
import { changedIssuer, type IssuerOptions, issuerMembersOf, withIssuerMembers } from './issuer_options.ts'
import { isMissing, issuerPath, keysText, printIssuer, readPublicKeys, registration } from './issuer_records.ts'
import { print, printJson, printPages, warn } from './output.ts'

interface Options extends ServerOptions {
  readonly yes?: boolean
}

const CREATED = `Registers an issuer whose tokens clients can authenticate with.

The server fetches its keys, and refuses an issuer whose keys it cannot fetch.
Some platforms have one issuer, so --preset is enough for them:
${usualPresets().join(', ')}.`

const SET = `Replaces the keys of an issuer that the server does not fetch them from.

The file is a JWK Set or a SPIFFE bundle; - is standard input.
Keys that are not in it are no longer accepted.`

/** Returns the presets of platforms that have one issuer. */
function usualPresets(): readonly string[] {
  return PRESET_NAMES.filter((name) => usualIssuerOf(name) !== undefined)
}

export function issuersCommand(): Command {
  const issuers = new Command('issuers').description('Manages the trusted issuers of a running server.')
  const add = (usage: string, description: string): Command =>
    withServer(issuers.command(usage).description(description))
  withIssuerMembers(add('create [issuer]', CREATED).summary('Registers an issuer.')).action(create)
  add('list', 'Lists all trusted issuers.').action(list)
  add('show <issuer>', 'Shows one trusted issuer.').alias('get').action(show)
  withIssuerMembers(add('update <issuer>', 'Changes the given members and keeps the others. Lists are replaced.'))
    .option('--clear <member...>', 'members to remove')
    .action(update)
  add('set-keys <issuer> <file>', SET).summary('Replaces the keys of an issuer.').action(setKeys)
  add('delete <issuer>', 'Deletes an issuer. Clients can no longer authenticate with its tokens.')
    .option('--yes', 'do not ask for confirmation')
    .action(remove)
  return issuers
}

async function create(given: string | undefined, options: Options & IssuerOptions): Promise<void> {
  const issuer = given ?? usualIssuer(options)
  const path = issuerPath(issuer)
  const members = await issuerMembersOf(options)
  const send = await connect(options)
  const answer = await send('PUT', path, members, { 'If-None-Match': '*' })
  if (answer.status === 412) throw new CliError('refused', `the issuer ${issuer} is already registered`)
  printIssuer(accept(answer), options)
}

function usualIssuer({ preset }: IssuerOptions): string {
  const usual = preset && usualIssuerOf(preset)
  if (usual !== undefined) return usual
  const problem =
    preset === undefined
      ? `name the issuer, as its tokens have it in iss, or use --preset ${usualPresets().join('|')}`
      : `with ${preset}, each customer has an issuer of its own: name it, as the tokens have it in iss`
  throw new CliError('usage', problem)
}

async function list(options: Options): Promise<void> {
  const send = await connect(options)
  await printPages(pagesOf(send, '/issuers', 'issuers'), {
    json: options.json,
    head: ['issuer', 'preset', 'keys', 'required claims', 'state'],
    rowOf: (issuer) => [
      issuer['issuer'],
      issuer['preset'],
      issuer['malformed'] ? undefined : keysText(issuer),
      issuer['required_claims'],
      stateOf(issuer),
    ],
  })
}

function stateOf({ malformed, disabled }: Members): string {
  if (malformed) return 'malformed'
  return disabled ? 'disabled' : 'active'
}

async function show(issuer: string, options: Options): Promise<void> {
  const path = issuerPath(issuer)
  const send = await connect(options)
  printIssuer(accept(await send('GET', path)), options)
}

async function update(issuer: string, options: Options & IssuerOptions & { clear?: string[] }): Promise<void> {
  const path = issuerPath(issuer)
  const changes = await issuerMembersOf(options)
  const send = await connect(options)
  printIssuer(await change(send, path, changes, options.clear), options)
}

async function change(send: Send, path: string, changes: Members, cleared?: readonly string[]): Promise<Members> {
  const answer = await send('GET', path)
  const body = changedIssuer(accept(answer), changes, cleared)
  return accept(await send('PUT', path, body, { 'If-Match': answer.etag ?? '*' }))
}

async function setKeys(issuer: string, file: string, options: Options): Promise<void> {
  const path = issuerPath(issuer)
  const jwks = await readPublicKeys(file)
  const send = await connect(options)
  const held = await send('GET', path)
  if (isMissing(held)) {
    const command = registration(issuer, undefined, file)
    throw new CliError('refused', `${issuer} is not a trusted issuer. Register it first: ${command}`)
  }
  const changed = await change(send, path, { jwks })
  printIssuer(changed, options)
  const before = keysText(accept(held))
  if (!options.json && before !== 'inline') warn(`The server no longer fetches the keys itself, from ${before}.`)
}

async function remove(issuer: string, options: Options): Promise<void> {
  const path = issuerPath(issuer)
  await requireYes(`Delete the issuer ${issuer}? Clients can then no longer authenticate with its tokens.`, options)
  const send = await connect(options)
  accept(await send('DELETE', path))
  if (options.json) printJson({ deleted: issuer })
  else print(`deleted ${issuer}`)
}
