/** `edgemint clients import`: many clients out of a file, each at most once, told what became of it. */

import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import process from 'node:process'
import { progress } from '@clack/prompts'
import { Command, Option } from 'commander'
import chain from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { parser as linesParser } from 'stream-json/jsonl/parser.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { connect, type Send, type ServerOptions } from './api.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import { FORMATS, type Taken } from './import_formats.ts'
import { sayJson, sayTable, warn } from './output.ts'

/** Requests under way at a time. */
const LANES = 8

/** Lines of the report that a terminal shows; `--report` takes all. */
const MAX_SHOWN = 20

interface ImportOptions extends ServerOptions {
  readonly from: string
  readonly dryRun?: boolean
  readonly overwrite?: boolean
  readonly report?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** What became of a client. */
type Outcome = 'created' | 'same' | 'differs' | 'replaced' | 'refused'

interface Line {
  readonly client_id: string
  readonly outcome: Outcome
  readonly detail?: string
}

const EXAMPLES = `
Examples:
  npx edgemint clients import clients.json --from hydra --dry-run
  npx edgemint clients import clients.json --from hydra --report report.jsonl

The file is a JSON array, an object with a list "items", or one JSON object a line. Clients that are there already are
left alone unless --overwrite is given, so that it can be run again.`

export function importCommand(): Command {
  return new Command('import')
    .description('Takes clients from another server, with the hashes of their secrets.')
    .argument('<file>')
    .addOption(new Option('--from <format>', 'what the file is').choices(Object.keys(FORMATS)).makeOptionMandatory())
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('--overwrite', 'replace clients that are there and differ')
    .option('--report <file>', 'write what became of each client, one JSON object a line')
    .option('--url <url>', 'the server')
    .option('--yes', 'do not ask')
    .option('--json', 'for scripts')
    .addHelpText('after', EXAMPLES)
    .action(importClients)
}

async function importClients(file: string, options: ImportOptions): Promise<void> {
  const convert = FORMATS[options.from]
  if (convert === undefined) throw new CliError('usage', `${options.from} is no format`)
  if (!options.dryRun) await requireYes(`Import the clients of ${file}?`, options)
  const send = await connect(options)
  const told = reporter(options)
  const one = async (value: unknown): Promise<void> => {
    const client = await convert(typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})
    if ('refused' in client)
      return told.add({ client_id: client.client_id, outcome: 'refused', detail: client.refused })
    const { outcome, detail } = await put(send, client, options)
    const details = [...client.changes, ...(detail === undefined ? [] : [detail])].join('; ')
    told.add({ client_id: client.client_id, outcome, ...(details !== '' && { detail: details }) })
  }
  const clients = readClients(file)[Symbol.asyncIterator]()
  const lane = async (): Promise<void> => {
    for (let next = await clients.next(); !next.done; next = await clients.next()) await one(next.value)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  await told.end()
}

/** Creates it; of one that is there already says whether it is the same. */
async function put(
  send: Send,
  { client_id, metadata }: Taken,
  { dryRun, overwrite }: ImportOptions,
): Promise<{ outcome: Outcome; detail?: string }> {
  const path = `/register/${encodeURIComponent(client_id)}`
  const made = dryRun ? await send('GET', path) : await send('PUT', path, metadata, { 'If-None-Match': '*' })
  if (dryRun && made.status === 404) return { outcome: 'created' }
  if (made.status === 201) return { outcome: 'created' }
  const isThere = made.status === 412 || (dryRun && made.status === 200)
  if (!isThere) return { outcome: 'refused', detail: tell(made.body) }
  const held = dryRun ? made : await send('GET', path)
  if (isSame(metadata, held.body)) return { outcome: 'same' }
  if (!overwrite) return { outcome: 'differs', detail: 'is there and was left alone' }
  const replaced = dryRun ? { status: 200, body: {} } : await send('PUT', path, metadata)
  return replaced.status === 200 ? { outcome: 'replaced' } : { outcome: 'refused', detail: tell(replaced.body) }
}

function tell({ error, error_description }: Readonly<Record<string, unknown>>): string {
  return `${error}: ${error_description}`
}

/** Hashes are not shown, but the id of an imported secret is made from its hash. */
function isSame(metadata: Readonly<Record<string, unknown>>, held: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(metadata).every(([member, value]) => {
    const ids = (secrets: unknown): unknown => (Array.isArray(secrets) ? secrets.map(({ id }) => id) : secrets)
    const [one, other] = member === 'client_secrets' ? [ids(value), ids(held[member])] : [value, held[member]]
    return JSON.stringify(one) === JSON.stringify(other)
  })
}

/** Gives one client after the other, in memory that does not grow with the file. */
async function* readClients(file: string): AsyncGenerator<unknown> {
  const start = await readStart(file)
  const isLines = start.startsWith('{') && isRecord(start.split('\n', 1)[0] ?? '')
  const stages = isLines
    ? [linesParser()]
    : start.startsWith('{')
      ? [parser(), pick({ filter: 'items' }), streamArray()]
      : [parser(), streamArray()]
  try {
    for await (const { value } of chain([createReadStream(file), ...stages])) yield value
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}

const START_BYTES = 256 * 1024

async function readStart(file: string): Promise<string> {
  const handle = await open(file).catch((error: Error) => {
    throw new CliError('usage', `${file}: ${error.message}`)
  })
  const { buffer, bytesRead } = await handle.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0)
  await handle.close()
  return new TextDecoder().decode(buffer.subarray(0, bytesRead)).trimStart()
}

/** Whether a first line is a client already, and not the beginning of a list or all of one. */
function isRecord(line: string): boolean {
  try {
    return !Array.isArray(JSON.parse(line).items)
  } catch {
    return false
  }
}

interface Reporter {
  add(line: Line): void
  end(): Promise<void>
}

/** Counts, shows how far it is, and writes the report. */
function reporter({ report, json, dryRun }: ImportOptions): Reporter {
  const counts = new Map<Outcome, number>()
  const shown: Line[] = []
  const output = report === undefined ? undefined : createWriteStream(report, { mode: 0o600 })
  const bar = process.stderr.isTTY ? progress({ style: 'light', output: process.stderr }) : undefined
  bar?.start('importing')
  let total = 0
  return {
    add(line) {
      total++
      counts.set(line.outcome, (counts.get(line.outcome) ?? 0) + 1)
      output?.write(`${JSON.stringify(line)}\n`)
      if (line.detail !== undefined && shown.length < MAX_SHOWN) shown.push(line)
      if (total % 100 === 0) bar?.advance(1, `${total} clients`)
      if (total % 10_000 === 0 && bar === undefined) warn(`${total} clients`)
    },
    async end() {
      bar?.stop(`${total} clients`)
      await new Promise<void>((resolve) => (output === undefined ? resolve() : output.end(() => resolve())))
      const summary = { ...(dryRun && { dry_run: true }), total, ...Object.fromEntries(counts) }
      if (json) return sayJson({ ...summary, details: shown })
      sayTable(
        ['client_id', 'outcome', 'detail'],
        shown.map(({ client_id, outcome, detail }) => [client_id, outcome, detail]),
      )
      sayTable(Object.keys(summary), [Object.values(summary)])
    },
  }
}
