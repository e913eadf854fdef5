/**
 * What is printed: tables to read, JSON for scripts. A server may be hostile, so every line passes through `printLine`, which
 * leaves nothing that a terminal takes for a command or that hides other text.
 */

import process from 'node:process'
import { clearLine, cursorTo } from 'node:readline'
import Table from 'cli-table3'

type Members = Readonly<Record<string, unknown>>

/** Controls, formatting and bidirectional marks, line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The last second that `Date` can express. */
const MAX_INSTANT = 8.64e12

function printLine(stream: NodeJS.WriteStream, line: string): void {
  stream.write(`${plain(line)}\n`)
}

function plain(text: string): string {
  return text.replace(UNSEEN, '\ufffd')
}

/** Prints a line to standard output. */
export function say(line: string): void {
  printLine(process.stdout, line)
}

/** Prints a line to standard error. */
export function warn(line: string): void {
  printLine(process.stderr, line)
}

/** Prints a value to standard output as indented JSON. */
export function sayJson(value: unknown): void {
  for (const line of toJson(value, 2).split('\n')) say(line)
}

/** Prints a value to standard error as one line of JSON. */
export function warnJson(value: unknown): void {
  warn(toJson(value, 0))
}

/** The same value to a parser, without the characters that `plain` replaces. */
function toJson(value: unknown, indent: number): string {
  return JSON.stringify(value, null, indent).replace(UNSEEN, (unseen) =>
    unseen === '\n' ? unseen : unseen.split('').map(escapeUnit).join(''),
  )
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Prints rows under a head, or that there are none. */
export function sayTable(head: readonly string[], rows: readonly (readonly unknown[])[]): void {
  if (rows.length === 0) {
    say('none')
    return
  }
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true }, chars: BARE })
  table.push(...rows.map((row) => row.map(cell)))
  for (const line of table.toString().split('\n')) say(line)
}

/** Prints members, one a line; those whose names end in `_at` as instants. */
export function sayMembers(members: Members): void {
  const rows = Object.entries(members).map(([name, value]) => [name, name.endsWith('_at') ? instant(value) : value])
  sayTable(['member', 'value'], rows)
}

/** Returns epoch seconds as ISO 8601, 0 as `never`, and anything that is no instant unchanged. */
export function instant(value: unknown): unknown {
  if (value === 0) return 'never'
  const isInstant = typeof value === 'number' && Math.abs(value) <= MAX_INSTANT
  return isInstant ? new Date(value * 1000).toISOString() : value
}

/** Replaces the last line of the terminal at standard error. */
export function sayProgress(text: string): void {
  cursorTo(process.stderr, 0)
  process.stderr.write(plain(text))
  clearLine(process.stderr, 1)
}

/** Clears the line that `sayProgress` wrote, if standard error is a terminal. */
export function clearProgress(): void {
  if (!process.stderr.isTTY) return
  cursorTo(process.stderr, 0)
  clearLine(process.stderr, 0)
}

/** Lets a command end by itself when the program that reads its output has ended, as in `clients list | head -3`. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}

/** A line break within a cell would tear the table. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return plain(typeof value === 'string' ? value : JSON.stringify(value))
}

const BARE = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((place) => [place, place === 'middle' ? '  ' : '']),
)
