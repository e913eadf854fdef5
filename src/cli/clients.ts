/** `edgemint clients`: manages the clients of a running server. */

import { Command } from 'commander'
import { epochSeconds } from '../lib/clock.ts'
import { accept, connect, listOf, pagesOf, segment } from './api.ts'
import { duration } from './arguments.ts'
import { requireYes } from './ask.ts'
import { type MetadataOptions, metadataOf, withExchange, withMetadata } from './client_options.ts'
import { changeClient, clientPath, printClient, printSecrets } from './client_records.ts'
import { CliError } from './errors.ts'
import { type Members, malformed, type ServerOptions, withServer } from './http.ts'
import { addImport } from './import.ts'
import { instant, print, printJson, printPages, warn } from './output.ts'
import { addTest } from './test_client.ts'
import { addTrust } from './trust.ts'

interface Options extends ServerOptions {
  readonly yes?: boolean
}

const UPDATED = 'Changes the given members and keeps the others. Lists, such as --resource, are replaced.'

export function clientsCommand(): Command {
  const clients = new Command('clients').description('Manages the clients of a running server.')
  const add = (usage: string, description: string): Command =>
    withServer(clients.command(usage).description(description))
  withMetadata(add('create', 'Creates a client. Its secret is shown once.'))
    .option('--id <id>', 'client_id (default: chosen by the server)')
    .action(create)
  add('list', 'Lists all clients.').action(list)
  add('show <id>', 'Shows one client.').alias('get').action(show)
  withMetadata(add('update <id>', UPDATED)).option('--clear <member...>', 'members to remove').action(update)
  add('rotate-secret <id>', 'Adds a secret, which is shown once. The others stay valid.')
    .option('--keep-old <duration>', 'let the others expire after this time, such as 24h or 0s', duration)
    .option('--label <text>', 'label of the new secret')
    .action(rotateSecret)
  add('revoke-secret <id> <secret>', 'Revokes one secret, by its id.')
    .option('--yes', 'do not ask for confirmation')
    .action(revokeSecret)
  add('revoke-tokens [id]', 'Revokes all tokens issued until now, of one client or, without an id, of all clients.')
    .option('--yes', 'do not ask for confirmation')
    .action(revokeTokens)
  add('disable <id>', 'Refuses requests of the client and keeps its record.').action((id: string, options: Options) =>
    setDisabled(id, true, options),
  )
  add('enable <id>', 'Accepts requests of a disabled client again.').action((id: string, options: Options) =>
    setDisabled(id, false, options),
  )
  add('delete <id>', 'Deletes the client.').option('--yes', 'do not ask for confirmation').action(remove)
  addTrust(clients)
  addTest(clients)
  addImport(clients)
  return clients
}

async function create({ id, ...options }: Options & MetadataOptions & { id?: string }): Promise<void> {
  const metadata = withExchange(metadataOf(options), options)
  const send = await connect(options)
  const answer =
    id === undefined
      ? await send('POST', '/register', metadata)
      : await send('PUT', clientPath(id), metadata, { 'If-None-Match': '*' })
  if (answer.status === 412) throw new CliError('refused', `the client ${id} already exists`)
  printClient(accept(answer), options)
}

async function list(options: Options): Promise<void> {
  const send = await connect(options)
  await printPages(pagesOf(send, '/register', 'clients'), {
    json: options.json,
    head: ['client_id', 'name', 'method', 'scope', 'state'],
    rowOf: (client) => [
      client['client_id'],
      client['client_name'],
      client['token_endpoint_auth_method'],
      client['scope'],
      stateOf(client),
    ],
  })
}

function stateOf({ malformed, disabled }: Members): string {
  if (malformed) return 'malformed'
  return disabled ? 'disabled' : 'active'
}

async function show(id: string, options: Options): Promise<void> {
  const send = await connect(options)
  printClient(accept(await send('GET', clientPath(id))), options)
}

async function update(id: string, options: Options & MetadataOptions & { clear?: string[] }): Promise<void> {
  const changes = metadataOf(options)
  const changed = await changeClient(await connect(options), id, (client) => {
    const kept = Object.entries(client).filter(([member]) => !options.clear?.includes(member))
    return withExchange({ ...Object.fromEntries(kept), ...changes }, options)
  })
  printClient(changed, options)
}

async function setDisabled(id: string, disabled: boolean, options: Options): Promise<void> {
  const changed = await changeClient(await connect(options), id, (client) => ({ ...client, disabled }))
  printClient(changed, options)
}

async function rotateSecret(id: string, options: Options & { keepOld?: number; label?: string }): Promise<void> {
  const { keepOld, label, json } = options
  const until = keepOld === undefined ? undefined : epochSeconds() + keepOld
  const send = await connect(options)
  const body = accept(await send('POST', `${clientPath(id)}/secrets`, { label, keep_others_until: until }))
  const { client_secret } = body
  if (typeof client_secret !== 'string') malformed('client_secret is not a string')
  if (json) return printJson(body)
  print(`client_secret  ${client_secret}`)
  warn('This secret is shown only once.')
  if (until === undefined) warn('The other secrets stay valid; revoke them with revoke-secret.')
  printSecrets(listOf(body, 'client_secrets'))
}

async function revokeSecret(id: string, secret: string, options: Options): Promise<void> {
  await requireYes(`Revoke the secret ${secret} of ${id}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', `${clientPath(id)}/secrets/${segment(secret)}`))
  if (options.json) printJson({ revoked: secret })
  else print(`revoked ${secret}`)
}

async function revokeTokens(id: string | undefined, options: Options): Promise<void> {
  await requireYes(`Revoke all tokens of ${id ?? 'ALL clients'} issued until now?`, options)
  const send = await connect(options)
  // The server accepts any client_id, so a mistyped one would go unnoticed.
  if (id !== undefined) accept(await send('GET', clientPath(id)))
  const body = accept(await send('POST', '/revocations', id === undefined ? {} : { client_id: id }))
  const { before, client_id } = body
  if (!Number.isSafeInteger(before)) malformed('before is not an instant')
  if (client_id !== id) malformed('client_id is not the requested one')
  if (options.json) printJson(body)
  else print(`tokens of ${id ?? 'all clients'} issued until ${instant(before)} are revoked`)
}

async function remove(id: string, options: Options): Promise<void> {
  await requireYes(`Delete the client ${id}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', clientPath(id)))
  if (options.json) printJson({ deleted: id })
  else print(`deleted ${id}`)
}
