/** Formats results as a table: one row per result, one column per member. */

import Table from 'cli-table3'

type Row = Readonly<Record<string, string | number>>

const UNITS: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/PerCpuSecond$/, '/CPU s'],
  [/PerSecond$/, '/s'],
  [/Milliseconds$/, ' ms'],
  [/Mebibytes$/, ' MiB'],
]

/** Returns the column head of a member: `tokensPerSecond` becomes `tokens/s`, `routeP99Milliseconds` becomes `route p99 ms`. */
function headOf(member: string): string {
  const [ending, unit] = UNITS.find(([pattern]) => pattern.test(member)) ?? [/$/, '']
  return member.replace(ending, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) + unit
}

/** Returns a row as one line, which is printed before the table is complete. */
export function lineOf(row: object): string {
  const members = Object.entries(row as Row).map(([name, value]) =>
    typeof value === 'string' ? value : `${headOf(name)} ${cell(value)}`,
  )
  return members.join(', ')
}

/** Returns the rows as a table. Numbers have three significant digits. */
export function tableOf(rows: readonly object[]): string {
  const [first] = rows as readonly Row[]
  const head = Object.keys(first ?? {}).map(headOf)
  const table = new Table({ head, style: { head: [], border: [] }, wordWrap: true })
  for (const row of rows as readonly Row[]) table.push(Object.values(row).map(cell))
  return table.toString()
}

/** Returns an approximate duration as text. */
export function about(seconds: number): string {
  return seconds < 90 ? `about ${Math.ceil(seconds / 10) * 10} seconds` : `about ${Math.ceil(seconds / 60)} minutes`
}

function cell(value: string | number): string {
  if (typeof value === 'string') return value
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

/** Returns the value in the middle, ordered by `by`. */
export function median<T>(values: readonly T[], by: (value: T) => number): T {
  const middle = values.toSorted((a, b) => by(a) - by(b))[Math.floor(values.length / 2)]
  if (middle === undefined) throw new RangeError('the list is empty')
  return middle
}
