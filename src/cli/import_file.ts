/** Reads the clients in a file one by one, so that memory does not grow with the file. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import chain from 'stream-chain'
import { parser } from 'stream-json'
import { pick } from 'stream-json/filters/pick.js'
import { parser as linesParser } from 'stream-json/jsonl/parser.js'
import { streamArray } from 'stream-json/streamers/stream-array.js'
import { CliError } from './errors.ts'

export interface Row {
  /** Position in the file, from 1. */
  readonly row: number
  readonly value: unknown
}

export interface ClientFile {
  /** @throws CliError `usage` while iterating, at the first error in the JSON, or at the end if there was no row */
  readonly rows: AsyncGenerator<Row, void>
  /** Returns the fraction of the file that has been read, 0 to 1. */
  progress(): number
}

const START_BYTES = 256 * 1024

const FORMS = 'it must be a JSON array, a JSON object with a list "items", or JSON lines'

const TOO_LONG = `; the first of JSON lines must be shorter than ${START_BYTES} bytes`

/** Opens a file of clients. @throws CliError `usage` if it cannot be read or does not begin with `[` or `{` */
export async function openClients(file: string): Promise<ClientFile> {
  const { size, start } = await readStart(file).catch((error: Error) => {
    throw new CliError('usage', `${file}: ${error.message}`)
  })
  if (!/^[[{]/.test(start)) throw new CliError('usage', `${file} does not begin with [ or {: ${FORMS}`)
  const stream = createReadStream(file)
  return { rows: readRows(file, stream, start), progress: () => stream.bytesRead / size }
}

async function readStart(file: string): Promise<{ size: number; start: string }> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const { buffer, bytesRead } = await handle.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0)
    return { size, start: new TextDecoder().decode(buffer.subarray(0, bytesRead)).trimStart() }
  } finally {
    await handle.close()
  }
}

async function* readRows(
  file: string,
  stream: ReturnType<typeof createReadStream>,
  start: string,
): AsyncGenerator<Row, void> {
  const isLines = start.startsWith('{') && isRecord(start.split('\n', 1)[0] ?? '')
  const array = start.startsWith('{') ? [parser(), pick({ filter: 'items' }), streamArray()] : [parser(), streamArray()]
  // Of a longer line, the end is unknown, so it is read as an object with `items`.
  const hint = isLines || start.includes('\n') || start.length < START_BYTES ? '' : TOO_LONG
  let row = 0
  try {
    for await (const { value } of chain([stream, ...(isLines ? [linesParser()] : array)])) {
      row += 1
      yield { row, value }
    }
  } catch (error) {
    throw new CliError('usage', `${file}, after row ${row}: ${error instanceof Error ? error.message : error}${hint}`)
  }
  if (row === 0) throw new CliError('usage', `${file} contains no clients: ${FORMS}${hint}`)
}

/** Returns whether the first line is a complete client, so that the file is JSON lines and not an object with `items`. */
function isRecord(line: string): boolean {
  try {
    return !Array.isArray(JSON.parse(line).items)
  } catch {
    return false
  }
}
