/** What is printed: tables for people, JSON for scripts; nothing that a terminal takes for a command. */

import process from 'node:process'
import Table from 'cli-table3'

/** Takes a line for standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Takes a line for standard error. */
export function warn(line: string): void {
  process.stderr.write(`${plain(line)}\n`)
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value, null, 2))
}

/** Prints rows under a head, or that there are none. */
export function sayTable(head: readonly string[], rows: readonly (readonly unknown[])[]): void {
  if (rows.length === 0) {
    say('none')
    return
  }
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true }, chars: BARE })
  table.push(...rows.map((row) => row.map(cell)))
  say(table.toString())
}

/** Prints members, one a line. */
export function sayMembers(members: Readonly<Record<string, unknown>>): void {
  sayTable(['member', 'value'], Object.entries(members))
}

/** Gives an instant for people; epoch seconds, 0 or nothing for never. */
export function instant(seconds: number | undefined): string {
  return seconds === undefined || seconds === 0 ? '' : new Date(seconds * 1000).toISOString()
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return plain(typeof value === 'string' ? value : JSON.stringify(value))
}

/** A server may be anybody's: its texts must not move the cursor or hide what they say. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

const BARE = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((place) => [place, place === 'middle' ? '  ' : '']),
)
