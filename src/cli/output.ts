/**
 * Output: tables for people, JSON for scripts. The server may be hostile, so every line passes through `printLine`, which
 * replaces all characters that could control the terminal or hide other text.
 */

import process from 'node:process'
import { clearLine, cursorTo } from 'node:readline'
import { memberLines, openTable } from './table.ts'

type Members = Readonly<Record<string, unknown>>

/** Control characters, formatting and bidirectional marks, line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The last second that `Date` can represent. */
const MAX_INSTANT = 8.64e12

function printLine(stream: NodeJS.WriteStream, line: string): void {
  stream.write(`${plain(line)}\n`)
}

function plain(text: string): string {
  return text.replace(UNSEEN, '\ufffd')
}

/** Prints a line to standard output. */
export function print(line: string): void {
  printLine(process.stdout, line)
}

/** Prints a line to standard error. */
export function warn(line: string): void {
  printLine(process.stderr, line)
}

/** Prints a value to standard output as indented JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${toJson(value, 2)}\n`)
}

/** Prints a value to standard error as one line of JSON. */
export function warnJson(value: unknown): void {
  warn(toJson(value, 0))
}

/** Returns JSON in which the characters that `plain` would replace are escaped, so that the value stays the same. */
function toJson(value: unknown, indent: number): string {
  return JSON.stringify(value, null, indent).replace(UNSEEN, (unseen) =>
    unseen === '\n' ? unseen : unseen.split('').map(escapeUnit).join(''),
  )
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Prints rows as a table, or `none` if there are none. */
export function printTable(head: readonly string[], rows: readonly (readonly unknown[])[]): void {
  if (rows.length === 0) print('none')
  else printLines(openTable(head, columnsOf(process.stdout))(rows.map((row) => row.map(cell))))
}

interface ListLayout {
  readonly head: readonly string[]
  readonly json?: boolean | undefined
  rowOf(item: Members): readonly unknown[]
}

/** Prints the pages of a list as they arrive, as a table or as one JSON array, until the output pipe is closed. */
export async function printPages(
  pages: AsyncIterable<readonly Members[]>,
  { head, json = false, rowOf }: ListLayout,
): Promise<void> {
  const layOut = openTable(head, columnsOf(process.stdout))
  let isEmpty = true
  let isClosed = false
  process.stdout.once('error', () => {
    isClosed = true
  })
  for await (const page of pages) {
    if (isClosed) return
    if (page.length === 0) continue
    if (json) process.stdout.write((isEmpty ? '[\n' : ',\n') + toJson(page, 2).slice(2, -2))
    else printLines(layOut(page.map((item) => rowOf(item).map(cell))))
    isEmpty = false
  }
  if (json) process.stdout.write(isEmpty ? '[]\n' : '\n]\n')
  else if (isEmpty) print('none')
}

/** Prints members, one per line. Those whose names end in `_at` are printed as instants. */
export function printMembers(members: Members): void {
  const shown = Object.entries(members).map(
    ([name, value]) => [cell(name), cell(name.endsWith('_at') ? instant(value) : value)] as const,
  )
  printLines(memberLines(shown))
}

/** Prints lines whose characters are plain already, at once. */
function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}

/** A stream's width if it is a terminal. */
function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  return isTTY ? columns : undefined
}

/** Returns epoch seconds as ISO 8601, 0 as `never`, and anything else unchanged. */
export function instant(value: unknown): unknown {
  if (value === 0) return 'never'
  const isInstant = typeof value === 'number' && Math.abs(value) <= MAX_INSTANT
  return isInstant ? new Date(value * 1000).toISOString() : value
}

/** Replaces the last line of the terminal at standard error. */
export function printProgress(text: string): void {
  cursorTo(process.stderr, 0)
  process.stderr.write(plain(text))
  clearLine(process.stderr, 1)
}

/** Clears the line of `printProgress` if standard error is a terminal. */
export function clearProgress(): void {
  if (!process.stderr.isTTY) return
  cursorTo(process.stderr, 0)
  clearLine(process.stderr, 0)
}

/** Ignores a closed output pipe, as in `clients list | head -3`, so that the command ends without an error. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}

/** Returns one line of text, because a line break in a cell would break the table. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return plain(typeof value === 'string' ? value : JSON.stringify(value))
}
