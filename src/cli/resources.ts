/** `edgemint resources`: manages the resource servers of a running server. */

import { Command } from 'commander'
import { accept, connect, pagesOf, segment } from './api.ts'
import { wholeNumber } from './arguments.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { type Members, type ServerOptions, withServer } from './http.ts'
import { print, printJson, printMembers, printPages } from './output.ts'

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
  const resources = new Command('resources').description('Manages the resource servers of a running server.')
  const add = (usage: string, description: string): Command =>
    withServer(resources.command(usage).description(description))
  const withMembers = (command: Command): Command =>
    command
      .option('--scope <scopes>', 'its scopes: patterns, space-separated')
      .option('--lifetime <seconds>', 'access_token_lifetime', wholeNumber)
      .option('--alg <alg>', 'signing_alg of its tokens')
      .option('--default', 'use it as the audience of tokens that are requested without one')
  withMembers(add('create <identifier>', 'Registers a resource server.')).action(create)
  withMembers(add('update <identifier>', 'Changes the given members and keeps the others.'))
    .option('--no-default', 'do not use it as the audience of such tokens')
    .action(update)
  add('list', 'Lists all resource servers.').action(list)
  add('show <identifier>', 'Shows one resource server.').alias('get').action(show)
  add('delete <identifier>', 'Deletes a resource server. No more tokens are issued for it.')
    .option('--yes', 'do not ask for confirmation')
    .action(remove)
  return resources
}

const pathOf = (identifier: string): string => `/resources/${segment(identifier)}`

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
  if (answer.status === 412) throw new CliError('refused', `the resource ${identifier} already exists`)
  printResource(accept(answer), options)
}

async function update(identifier: string, options: ResourceOptions): Promise<void> {
  const send = await connect(options)
  const answer = await send('GET', pathOf(identifier))
  const body = { ...accept(answer), ...membersOf(options) }
  printResource(accept(await send('PUT', pathOf(identifier), body, { 'If-Match': answer.etag ?? '*' })), options)
}

async function list(options: Options): Promise<void> {
  const send = await connect(options)
  const head = ['resource', 'scope', 'access_token_lifetime', 'signing_alg', 'default']
  await printPages(pagesOf(send, '/resources', 'resources'), {
    json: options.json,
    head,
    rowOf: (resource) => head.map((member) => resource[member]),
  })
}

async function show(identifier: string, options: Options): Promise<void> {
  const send = await connect(options)
  printResource(accept(await send('GET', pathOf(identifier))), options)
}

async function remove(identifier: string, options: Options): Promise<void> {
  await requireYes(`Delete the resource ${identifier}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', pathOf(identifier)))
  if (options.json) printJson({ deleted: identifier })
  else print(`deleted ${identifier}`)
}

function printResource(resource: Members, { json }: Options): void {
  if (json) printJson(resource)
  else printMembers(resource)
}
