/** What a process tells its operator: lines for people, or one line of JSON for each. */

import { escapeUnseen } from '../lib/plain_text.ts'
import type { Notice } from '../start.ts'

/** Neither function fails: a closed pipe or a full disk is no reason to stop serving. */
export interface Operator {
  /** Prints to standard output. */
  print(line: string, notice: Notice): void
  /** Prints to standard error. */
  warn(line: string, notice: Notice): void
}

export const plainOperator: Operator = {
  print: (line) => printSafely(console.log, line),
  warn: (line) => printSafely(console.error, line),
}

export const jsonOperator: Operator = {
  print: (_line, notice) => printSafely(console.log, escapeUnseen(JSON.stringify(notice))),
  warn: (_line, notice) => printSafely(console.error, escapeUnseen(JSON.stringify(notice))),
}

/** Prints a line, ignoring failures. */
export function printSafely(print: (line: string) => void, line: string): void {
  try {
    print(line)
  } catch {
    // There is nowhere left to report it.
  }
}
