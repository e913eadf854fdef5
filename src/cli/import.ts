/** `edgemint clients import`: registers the clients in a file. */

import process from 'node:process'
import { type Command, Option } from 'commander'
import { connect, pagesOf, type Send } from './api.ts'
import { requireYes } from './ask.ts'
import { clientPath } from './client_records.ts'
import { CliError } from './errors.ts'
import { type Answer, isObject, type Members, refusalText, type ServerOptions, withServer } from './http.ts'
import { type ClientFile, openClients, type Row } from './import_file.ts'
import { type ConvertedClient, FORMATS } from './import_formats.ts'
import { type Line, type Outcome, openReport, type Report } from './import_report.ts'
import { isDeeper, MAX_LEVELS } from './levels.ts'

/** Number of concurrent requests. */
const LANES = 8

interface ImportOptions extends ServerOptions {
  readonly from: string
  readonly dryRun?: boolean
  readonly overwrite?: boolean
  readonly report?: string
  readonly yes?: boolean
}

const DESCRIPTION = `Imports clients of another server, with the hashes of their secrets.

The file is a JSON array, an object with a list "items", or JSON lines. Existing clients are left unchanged
unless --overwrite is given, so the import can be repeated. The exit code is 1 if a client is refused, or with
--dry-run if one would be. A dry run does not detect metadata that the server would refuse.`

export function addImport(clients: Command): void {
  withServer(clients.command('import <file>').description(DESCRIPTION).summary('Imports clients of another server.'))
    .addOption(new Option('--from <format>', 'format of the file').choices(Object.keys(FORMATS)).makeOptionMandatory())
    .option('--dry-run', 'report what would happen without changing anything')
    .option('--overwrite', 'replace existing clients that differ')
    .option('--report <file>', 'write the outcome of each client as JSON lines, mode 0600')
    .option('--yes', 'do not ask for confirmation')
    .action(importClients)
}

async function importClients(file: string, options: ImportOptions): Promise<void> {
  const clients = await openClients(file)
  if (!options.dryRun) await requireYes(`Import the clients of ${file}?`, options)
  const send = await connect(options)
  const known = new Set<unknown>()
  for await (const page of pagesOf(send, '/resources', 'resources'))
    for (const { resource } of page) known.add(resource)
  const report = openReport(options)
  const failure = await importRows(clients, report, (row) => importRow(row, { send, known, options }))
  const { total, refused } = report.end()
  if (failure !== undefined) throw failure
  if (refused > 0) throw new CliError('refused', `${refused} of ${total} clients ${refusedText(options)}`)
}

function refusedText({ dryRun }: ImportOptions): string {
  return dryRun ? 'would be refused' : 'were refused'
}

/** Imports all rows. Returns the error that stopped it early, if any; pending requests are completed, so the report is accurate. */
async function importRows(
  { rows, progress }: ClientFile,
  report: Report,
  importOne: (row: Row) => Promise<Line>,
): Promise<unknown> {
  let failure: unknown
  const interrupt = (): void => {
    failure ??= new CliError('interrupted', 'interrupted; the import can be run again')
  }
  const lane = async (): Promise<void> => {
    try {
      for (let next = await rows.next(); !next.done && failure === undefined; next = await rows.next())
        report.add(await importOne(next.value), progress())
    } catch (error) {
      failure ??= error
    }
  }
  process.once('SIGINT', interrupt)
  await Promise.all(Array.from({ length: LANES }, lane))
  process.off('SIGINT', interrupt)
  await rows.return()
  return failure
}

interface Target {
  readonly send: Send
  /** Identifiers of the registered resource servers. */
  readonly known: ReadonlySet<unknown>
  readonly options: ImportOptions
}

/** Reports what is wrong with one client or with the response to it as refused, so that the import goes on. */
async function importRow({ row, value }: Row, target: Target): Promise<Line> {
  if (isDeeper(value, MAX_LEVELS)) return refusedRow(row, `it has more than ${MAX_LEVELS} levels`)
  const convert = FORMATS[target.options.from]
  if (convert === undefined) throw new CliError('usage', `${target.options.from} is not a known format`)
  const client = await convert(isObject(value) ? value : {})
  if ('refused' in client) return refusedRow(row, client.refused, client.client_id)
  try {
    return { row, client_id: client.client_id, ...(await importClient(client, target)) }
  } catch (error) {
    if (error instanceof CliError && error.kind === 'refused') return refusedRow(row, error.message, client.client_id)
    throw error
  }
}

function refusedRow(row: number, detail: string, client_id = ''): Line {
  return { row, client_id, outcome: 'refused', detail }
}

async function importClient(client: ConvertedClient, { send, known, options }: Target): Promise<ImportResult> {
  const { outcome, detail } = await (options.dryRun ? preview : put)(send, client, options.overwrite === true)
  const details = [...client.changes, ...unregistered(client, known), ...(detail === undefined ? [] : [detail])]
  return { outcome, ...(details.length > 0 && { detail: details.join('; ') }) }
}

function unregistered({ metadata: { resources } }: ConvertedClient, known: ReadonlySet<unknown>): readonly string[] {
  const named = Array.isArray(resources) ? resources.filter((resource) => typeof resource === 'string') : []
  const unknown = named.filter((resource) => !known.has(resource))
  return unknown.map((resource) => `the resource ${resource} is not registered yet (resources create)`)
}

interface ImportResult {
  readonly outcome: Outcome
  readonly detail?: string
}

/** Returns what `put` would do. Invalid metadata is not detected: the server validates it only on registration. */
async function preview(
  send: Send,
  { client_id, metadata }: ConvertedClient,
  overwrite: boolean,
): Promise<ImportResult> {
  const held = await send('GET', clientPath(client_id))
  if (held.status === 404) return { outcome: 'would_create' }
  return compare(metadata, held, overwrite) ?? { outcome: 'would_replace' }
}

async function put(send: Send, { client_id, metadata }: ConvertedClient, overwrite: boolean): Promise<ImportResult> {
  const path = clientPath(client_id)
  const made = await send('PUT', path, metadata, { 'If-None-Match': '*' })
  if (made.status === 201) return { outcome: 'created' }
  if (made.status !== 412) return refusedBy(made)
  const unchanged = compare(metadata, await send('GET', path), overwrite)
  if (unchanged !== undefined) return unchanged
  const replaced = await send('PUT', path, metadata)
  return replaced.status === 200 ? { outcome: 'replaced' } : refusedBy(replaced)
}

/** Returns the outcome for an existing client, or undefined if it must be replaced. */
function compare(metadata: Members, held: Answer, overwrite: boolean): ImportResult | undefined {
  if (held.status !== 200) return refusedBy(held)
  if (isSame(metadata, held.body)) return { outcome: 'same' }
  return overwrite ? undefined : { outcome: 'differs', detail: 'it exists and was left unchanged' }
}

function refusedBy(answer: Answer): ImportResult {
  return { outcome: 'refused', detail: refusalText(answer) }
}

/** Compares secrets by their ids: the server does not show hashes, but the id of an imported secret is derived from its hash. */
function isSame(metadata: Members, held: Members): boolean {
  const idsOf = (secrets: unknown): unknown => (Array.isArray(secrets) ? secrets.map((secret) => secret?.id) : secrets)
  return Object.entries(metadata).every(([member, value]) => {
    const [one, other] = member === 'client_secrets' ? [idsOf(value), idsOf(held[member])] : [value, held[member]]
    return JSON.stringify(one) === JSON.stringify(other)
  })
}
