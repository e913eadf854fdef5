/** `edgemint resources`: the resource servers of a running server. */

import { Command } from 'commander'
import { accept, connect, listAll, type ServerOptions } from './api.ts'
import { requireYes } from './ask.ts'
import { wholeNumber } from './client_options.ts'
import { CliError } from './errors.ts'
import { say, sayJson, sayMembers, sayTable } from './output.ts'

interface Options extends ServerOptions {
  readonly json?: boolean
  readonly yes?: boolean
}

interface ResourceOptions extends Options {
  readonly scope?: string
  readonly lifetime?: number
  readonly alg?: string
  readonly default?: boolean
}

const EXAMPLES = `
Examples:
  npx edgemint resources create https://api.example.com --scope "reports.*" --default
  npx edgemint resources list`

export function resourcesCommand(): Command {
  const resources = new Command('resources').description('Resource servers.').addHelpText('after', EXAMPLES)
  const add = (usage: string, description: string): Command =>
    resources
      .command(usage)
      .description(description)
      .option('--url <url>', 'the server')
      .option('--json', 'for scripts')
  const withMembers = (command: Command): Command =>
    command
      .option('--scope <scopes>', 'the scopes it has, patterns with blanks between')
      .option('--lifetime <seconds>', 'access_token_lifetime', wholeNumber)
      .option('--alg <alg>', 'signing_alg of its tokens')
      .option('--default', 'the audience when none is asked for')
  withMembers(add('create <identifier>', 'Registers a resource server.')).action(create)
  withMembers(add('update <identifier>', 'Changes what is named, and leaves the rest.'))
    .option('--no-default')
    .action(update)
  add('list', 'Lists all.').action(list)
  add('show <identifier>', 'Shows one.').action(show)
  add('delete <identifier>', 'Deletes one: no more tokens for it.').option('--yes', 'do not ask').action(remove)
  return resources
}

const pathOf = (identifier: string): string => `/resources/${encodeURIComponent(identifier)}`

function membersOf(options: ResourceOptions): Readonly<Record<string, unknown>> {
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
  if (answer.status === 412) throw new CliError('refused', `there is a resource ${identifier} already`)
  sayOne(accept(answer), options)
}

async function update(identifier: string, options: ResourceOptions): Promise<void> {
  const send = await connect(options)
  const answer = await send('GET', pathOf(identifier))
  const body = { ...accept(answer), ...membersOf(options) }
  sayOne(accept(await send('PUT', pathOf(identifier), body, { 'If-Match': answer.etag ?? '*' })), options)
}

async function list({ json, ...server }: Options): Promise<void> {
  const resources = await listAll(await connect(server), '/resources', 'resources')
  if (json) return sayJson(resources)
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

function sayOne(resource: Readonly<Record<string, unknown>>, { json }: Options): void {
  if (json) sayJson(resource)
  else sayMembers(resource)
}
