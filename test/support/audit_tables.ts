/** Makes the tables of docs/audit.md from the source. `node test/support/audit_tables.ts` writes them into the page. */

import { readFileSync, writeFileSync } from 'node:fs'
import { REASONS } from '../../src/reasons.ts'
import { CODES, MEANINGS } from './reason_meanings.ts'

const PAGE = 'docs/audit.md'

/** The page begins as it is written by hand; the first of these headings begins what is made here. */
const FIRST_HEADING = '## Events\n'

/** Returns the page with tables that agree with the source. */
export function auditPage(): string {
  const [written = ''] = readFileSync(PAGE, 'utf8').split(FIRST_HEADING)
  return `${written}${FIRST_HEADING}\n${eventTable()}\n\n## Reasons\n${reasonTables()}`
}

function eventTable(): string {
  const source = readFileSync('src/events/events.ts', 'utf8')
  const [, union = ''] = /type Happening =(.*?)\n\n/s.exec(source) ?? []
  const rows = union.split(/^ {2}\| /m).flatMap((member) => {
    const [, name] = /event: '(\w+)'/.exec(member) ?? []
    if (name === undefined) return []
    const fields = [...member.matchAll(/(?:\/\*\* (.+?) \*\/\s*)?readonly (\w+)\??: (?!undefined\b)/g)]
    const shown = fields.flatMap(([, , field]) => (field === 'event' ? [] : [`\`${field}\``]))
    const notes = fields.flatMap(([, text, field]) =>
      text === undefined ? [] : [field === 'event' ? text : `\`${field}\`: ${text}`],
    )
    return [`| \`${name}\` | ${shown.join(', ')} | ${notes.join(' ')} |`]
  })
  return [
    'Each line has `time`, `event` and these members:',
    '',
    '| event | members | |',
    '|---|---|---|',
    ...rows,
  ].join('\n')
}

function reasonTables(): string {
  return Object.entries(REASONS)
    .map(([group, reasons]) => {
      const rows = reasons.map((reason) => `| \`${reason}\` | ${MEANINGS[reason]} |`)
      const code = CODES[group as keyof typeof REASONS]
      return ['', `### ${group}`, '', `On the wire: ${code}.`, '', '| reason | |', '|---|---|', ...rows, ''].join('\n')
    })
    .join('')
}

if (import.meta.main) writeFileSync(PAGE, auditPage())
