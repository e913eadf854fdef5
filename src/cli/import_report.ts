/** The report of an import: counts outcomes, shows details, and writes each outcome to a file. */

import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { CliError } from './errors.ts'
import { clearProgress, print, printJson, printProgress, printTable, warn } from './output.ts'

/** In the order of the summary. */
const OUTCOMES = ['created', 'would_create', 'same', 'differs', 'replaced', 'would_replace', 'refused'] as const

export type Outcome = (typeof OUTCOMES)[number]

export interface Line {
  /** Position in the file, from 1. */
  readonly row: number
  readonly client_id: string
  readonly outcome: Outcome
  readonly detail?: string
}

export interface ReportOptions {
  readonly report?: string
  readonly json?: boolean
  readonly dryRun?: boolean
}

export interface Report {
  /** @param progress the fraction of the file that has been read, 0 to 1 */
  add(line: Line, progress: number): void
  /** Prints the summary. Returns the number of clients, and how many of them were refused. */
  end(): { total: number; refused: number }
}

/** Maximum number of details that are printed; `--report` writes all. */
const MAX_SHOWN = 20

const BAR_WIDTH = 30

/** Opens the report. @throws CliError `usage` if its file cannot be written */
export function openReport({ report, json = false, dryRun }: ReportOptions): Report {
  const counts = new Map<Outcome, number>()
  const shown: Line[] = []
  const file = report === undefined ? undefined : openPrivate(report)
  let total = 0
  let details = 0
  return {
    add(line, progress) {
      total += 1
      counts.set(line.outcome, (counts.get(line.outcome) ?? 0) + 1)
      if (file !== undefined) writeSync(file, `${JSON.stringify(line)}\n`)
      if (line.detail !== undefined) details += 1
      if (line.detail !== undefined && shown.length < MAX_SHOWN) shown.push(line)
      if (!json) showProgress(total, progress)
    },
    end() {
      if (!json) clearProgress()
      if (file !== undefined) closeSync(file)
      const counted = OUTCOMES.filter((outcome) => counts.has(outcome)).map((outcome) => [outcome, counts.get(outcome)])
      const summary = { ...(dryRun && { dry_run: true }), total, ...Object.fromEntries(counted) }
      // Concurrent requests end in any order.
      shown.sort((one, other) => one.row - other.row)
      if (json) printJson({ ...summary, details: shown })
      else printLines(shown, summary, details - shown.length)
      return { total, refused: counts.get('refused') ?? 0 }
    },
  }
}

/** Opens a file that only its owner can read, and restricts the mode of an existing file. */
function openPrivate(path: string): number {
  try {
    const file = openSync(path, 'w', 0o600)
    fchmodSync(file, 0o600)
    return file
  } catch (error) {
    throw new CliError('usage', `${path}: ${error instanceof Error ? error.message : error}`)
  }
}

function showProgress(total: number, progress: number): void {
  if (process.stderr.isTTY && total % 100 === 0) {
    const filled = Math.round(progress * BAR_WIDTH)
    printProgress(`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${total} clients`)
  } else if (total % 10_000 === 0) warn(`${total} clients`)
}

function printLines(shown: readonly Line[], summary: Readonly<Record<string, unknown>>, hidden: number): void {
  const spaced = (name: string): string => name.replaceAll('_', ' ')
  if (shown.length > 0) {
    printTable(
      ['row', 'client_id', 'outcome', 'detail'],
      shown.map(({ row, client_id, outcome, detail }) => [row, client_id, spaced(outcome), detail]),
    )
    print('')
  }
  if (hidden > 0) warn(`and ${hidden} more; --report writes all details`)
  printTable(Object.keys(summary).map(spaced), [Object.values(summary)])
}
