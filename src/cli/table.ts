/** Tables of text: columns as wide as their content, or one member per line where the terminal is too narrow for them. */

type Row = readonly string[]

const GAP = '  '

/** Characters that take two cells of a terminal, and those that take none. */
const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/gu
const COMBINING = /\p{M}/gu

/**
 * Returns a function that lays out further rows of a table, so that the first rows of a long list are shown at once. The
 * head comes before the first rows.
 *
 * @param columns of the terminal; undefined if the output is not a terminal
 */
export function openTable(head: Row, columns: number | undefined): (rows: readonly Row[]) => readonly string[] {
  let widths: readonly number[] = head.map(widthOf)
  let isFirst = true
  return (rows) => {
    widths = widths.map((width, at) => rows.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), width))
    const total = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length)
    if (columns !== undefined && total > columns)
      return rows.flatMap((row) => [...memberLines(head.map((name, at) => [name, row[at] ?? ''])), ''])
    const lines = [...(isFirst ? [head] : []), ...rows].map((row) => lineOf(row, widths))
    isFirst = false
    return lines
  }
}

/** Returns a line for each member, with the values below each other. */
export function memberLines(members: readonly (readonly [name: string, value: string])[]): readonly string[] {
  const width = Math.max(...members.map(([name]) => widthOf(name)))
  return members.map((member) => lineOf(member, [width]))
}

function lineOf(row: Row, widths: readonly number[]): string {
  const padded = row.map((cell, at) => cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell))))
  return padded.join(GAP).trimEnd()
}

function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return [...text].length + (text.match(WIDE)?.length ?? 0) - (text.match(COMBINING)?.length ?? 0)
}
