/** `edgemint resources`: the resource servers of a running server. */

import { Command } from 'commander'
import { accept, connect, listAll, type Members, type ServerOptions, withServer } from './api.ts'
import { wholeNumber } from './arguments.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { say, sayJson, sayMembers, sayTable } from './output.ts'

interface Options extends ServerOptions {
  readonly yes?: boolean
}

interface ResourceOptions extends Options {
  readonly scope?: string
  readonly lifetime?: number
  readonly alg?: string
  readonly default?: boolean
}

export function resourcesCommand(): Command {
  const resources = new Command('resources').description('Resource servers.')
  const add = (usage: string, description: string): Command =>
    withServer(resources.command(usage).description(description))
  const withMembers = (command: Command): Command =>
    command
      .option('--scope <scopes>', 'the scopes it has: patterns, space-separated')
      .option('--lifetime <seconds>', 'access_token_lifetime', wholeNumber)
      .option('--alg <alg>', 'signing_alg of its tokens')
      .option('--default', 'the audience of tokens that are requested without one')
  withMembers(add('create <identifier>', 'Registers a resource server.')).action(create)
  withMembers(add('update <identifier>', 'Changes the members that options name, and keeps the others.'))
    .option('--no-default', 'no longer the audience of such tokens')
    .action(update)
  add('list', 'Lists all resource servers.').action(list)
  add('show <identifier>', 'Shows one resource server.').alias('get').action(show)
  add('delete <identifier>', 'Deletes one: the server issues no more tokens for it.')
    .option('--yes', 'do not ask for confirmation')
    .action(remove)
  return resources
}

const pathOf = (identifier: string): string => `/resources/${encodeURIComponent(identifier)}`

function membersOf(options: ResourceOptions): Members {
  const members = {
    scope: options.scope,
    access_token_lifetime: options.lifetime,
    signing_alg: options.alg,
    default: options.default,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

async function create(identifier: string, options: ResourceOptions): Promise<void> {
  const send = await connect(options)
  const answer = await send('PUT', pathOf(identifier), membersOf(options), { 'If-None-Match': '*' })
  if (answer.status === 412) throw new CliError('refused', `the resource ${identifier} exists already`)
  sayOne(accept(answer), options)
}

async function update(identifier: string, options: ResourceOptions): Promise<void> {
  const send = await connect(options)
  const answer = await send('GET', pathOf(identifier))
  const body = { ...accept(answer), ...membersOf(options) }
  sayOne(accept(await send('PUT', pathOf(identifier), body, { 'If-Match': answer.etag ?? '*' })), options)
}

async function list(options: Options): Promise<void> {
  const resources = await listAll(await connect(options), '/resources', 'resources')
  if (options.json) return sayJson(resources)
  const members = ['resource', 'scope', 'access_token_lifetime', 'signing_alg', 'default']
  sayTable(
    members,
    resources.map((resource) => members.map((member) => resource[member])),
  )
}

async function show(identifier: string, options: Options): Promise<void> {
  const send = await connect(options)
  sayOne(accept(await send('GET', pathOf(identifier))), options)
}

async function remove(identifier: string, options: Options): Promise<void> {
  await requireYes(`Delete the resource ${identifier}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', pathOf(identifier)))
  if (options.json) sayJson({ deleted: identifier })
  else say(`deleted ${identifier}`)
}

function sayOne(resource: Members, { json }: Options): void {
  if (json) sayJson(resource)
  else sayMembers(resource)
}
