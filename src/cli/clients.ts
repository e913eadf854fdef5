/** `edgemint clients`: the clients of a running server. */

import { Command } from 'commander'
import { accept, connect, listAll, type Send, type ServerOptions } from './api.ts'
import { requireYes } from './ask.ts'
import { duration, type MetadataOptions, metadataOf, withMetadata } from './client_options.ts'
import { CliError } from './errors.ts'
import { instant, say, sayJson, sayMembers, sayTable, warn } from './output.ts'

interface Options extends ServerOptions {
  readonly json?: boolean
  readonly yes?: boolean
}

interface Secret {
  readonly id: string
  readonly label?: string
  readonly created_at?: number
  readonly expires_at?: number
}

const EXAMPLES = `
Examples:
  npx edgemint clients create --name Reports --scope "reports.*"
  npx edgemint clients rotate-secret 5e0e… --keep-old 24h
  npx edgemint clients list --json | jq -r '.[].client_id'`

export function clientsCommand(): Command {
  const clients = new Command('clients').description('Clients of a running server.').addHelpText('after', EXAMPLES)
  const add = (usage: string, description: string): Command =>
    clients.command(usage).description(description).option('--url <url>', 'the server').option('--json', 'for scripts')
  withMetadata(
    add('create', 'Makes a client; its secret is shown once.').option('--id <id>', 'client_id of your choice'),
  ).action(create)
  add('list', 'Lists all clients.').action(list)
  add('show <id>', 'Shows one client.').action(show)
  withMetadata(add('update <id>', 'Changes what is named, and leaves the rest.'))
    .option('--clear <member...>', 'members to take away')
    .action(update)
  add('rotate-secret <id>', 'Adds a secret, shown once; the others work on.')
    .option('--keep-old <duration>', 'end the others after this time, such as 24h or 0s', duration)
    .option('--label <text>', 'of the new secret')
    .action(rotateSecret)
  add('revoke-secret <id> <secret>', 'Ends one secret, by its id.').option('--yes', 'do not ask').action(revokeSecret)
  add('revoke-tokens [id]', 'Denies all tokens issued until now: of one client, or without an id of all.')
    .option('--yes', 'do not ask')
    .action(revokeTokens)
  add('disable <id>', 'Refuses the client, and keeps it.').action((id: string, options: Options) =>
    setDisabled(id, true, options),
  )
  add('enable <id>', 'Lets a disabled client in again.').action((id: string, options: Options) =>
    setDisabled(id, false, options),
  )
  add('delete <id>', 'Deletes the client.').option('--yes', 'do not ask').action(remove)
  return clients
}

const pathOf = (id: string): string => `/register/${encodeURIComponent(id)}`

async function create({ id, url, json, ...options }: Options & MetadataOptions & { id?: string }): Promise<void> {
  const metadata = metadataOf(options)
  const send = await connect({ ...(url && { url }) })
  const answer =
    id === undefined
      ? await send('POST', '/register', metadata)
      : await send('PUT', pathOf(id), metadata, { 'If-None-Match': '*' })
  if (answer.status === 412) throw new CliError('refused', `there is a client ${id} already`)
  sayClient(accept(answer), json)
}

async function list({ json, ...server }: Options): Promise<void> {
  const clients = await listAll(await connect(server), '/register', 'clients')
  if (json) return sayJson(clients)
  sayTable(
    ['client_id', 'name', 'method', 'scope', 'state'],
    clients.map((client) => [
      client['client_id'],
      client['client_name'],
      client['token_endpoint_auth_method'],
      client['scope'],
      client['malformed'] ? 'malformed' : client['disabled'] ? 'disabled' : '',
    ]),
  )
}

async function show(id: string, { json, ...server }: Options): Promise<void> {
  const send = await connect(server)
  sayClient(accept(await send('GET', pathOf(id))), json)
}

async function update(id: string, options: Options & MetadataOptions & { clear?: string[] }): Promise<void> {
  const send = await connect(options)
  const changed = await change(send, id, (client) => {
    const kept = Object.entries(client).filter(([member]) => !options.clear?.includes(member))
    return { ...Object.fromEntries(kept), ...metadataOf(options) }
  })
  sayClient(changed, options.json)
}

async function setDisabled(id: string, disabled: boolean, { json, ...server }: Options): Promise<void> {
  sayClient(await change(await connect(server), id, (client) => ({ ...client, disabled })), json)
}

type Members = Readonly<Record<string, unknown>>

/** Reads, changes and writes back, unless somebody else wrote in between. */
async function change(send: Send, id: string, decide: (client: Members) => Members): Promise<Members> {
  const answer = await send('GET', pathOf(id))
  const { client_secrets: _secrets, ...client } = accept(answer)
  return accept(
    await send('PUT', pathOf(id), decide(client), answer.etag === undefined ? {} : { 'If-Match': answer.etag }),
  )
}

async function rotateSecret(id: string, options: Options & { keepOld?: number; label?: string }): Promise<void> {
  const { keepOld, label, json } = options
  const until = keepOld === undefined ? undefined : Math.floor(Date.now() / 1000) + keepOld
  const send = await connect(options)
  const body = accept(await send('POST', `${pathOf(id)}/secrets`, { label, keep_others_until: until }))
  if (json) return sayJson(body)
  say(`client_secret  ${body['client_secret']}`)
  warn('This secret is shown only now.')
  if (until === undefined) warn('The others work on; revoke-secret ends one.')
  saySecrets(body['client_secrets'] as Secret[])
}

async function revokeSecret(id: string, secret: string, options: Options): Promise<void> {
  await requireYes(`End the secret ${secret} of ${id}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', `${pathOf(id)}/secrets/${encodeURIComponent(secret)}`))
  if (options.json) sayJson({ revoked: secret })
  else say(`revoked ${secret}`)
}

async function revokeTokens(id: string | undefined, options: Options): Promise<void> {
  await requireYes(`Deny all tokens of ${id ?? 'ALL clients'} issued until now?`, options)
  const send = await connect(options)
  const body = accept(await send('POST', '/revocations', id === undefined ? {} : { client_id: id }))
  if (options.json) sayJson(body)
  else say(`tokens issued until ${instant(Number(body['before']))} are denied`)
}

async function remove(id: string, options: Options): Promise<void> {
  await requireYes(`Delete the client ${id}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', pathOf(id)))
  if (options.json) sayJson({ deleted: id })
  else say(`deleted ${id}`)
}

function sayClient(client: Members, json: boolean | undefined): void {
  if (json) sayJson(client)
  else sayForPeople(client)
}

function sayForPeople({ client_secrets = [], ...client }: Members): void {
  sayMembers(client)
  saySecrets(client_secrets as Secret[])
  if (client['client_secret'] !== undefined) warn('This secret is shown only now.')
}

function saySecrets(secrets: readonly Secret[]): void {
  const rows = secrets.map(({ id, label, created_at, expires_at }) => [
    id,
    label,
    instant(created_at),
    instant(expires_at),
  ])
  if (rows.length > 0) sayTable(['secret', 'label', 'created', 'expires'], rows)
}
