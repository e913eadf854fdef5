/** Results as a table: a row for each, a column for each member. */

import Table from 'cli-table3'

type Row = Readonly<Record<string, string | number>>

/** Heads by member: `cpuMilliseconds` becomes `cpu milliseconds`. Numbers get three digits that count. */
export function tableOf(rows: readonly object[]): string {
  const [first] = rows as readonly Row[]
  const heads = Object.keys(first ?? {}).map((name) =>
    name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  )
  const table = new Table({ head: heads, style: { head: [], border: [] }, wordWrap: true })
  for (const row of rows as readonly Row[]) table.push(Object.values(row).map(cell))
  return table.toString()
}

function cell(value: string | number): string {
  if (typeof value === 'string') return value
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

/** Gives the one in the middle by what `by` gives. */
export function median<T>(values: readonly T[], by: (value: T) => number): T {
  const middle = values.toSorted((a, b) => by(a) - by(b))[Math.floor(values.length / 2)]
  if (middle === undefined) throw new RangeError('there is no median of nothing')
  return middle
}
