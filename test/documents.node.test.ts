import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from '#test'
import { auditPage } from './support/audit_tables.ts'
import { PAGES as USER_PAGES } from './support/doc_blocks.ts'

const DECISIONS = '.github/decisions'
const SECURITY = '.github/SECURITY.md'
const PAGES = ['.github/ARCHITECTURE.md', '.github/CONTRIBUTING.md', SECURITY, 'CHANGELOG.md']

const decisions = readdirSync(DECISIONS).filter((name) => name !== 'README.md')
const all = [...PAGES, ...readdirSync(DECISIONS).map((name) => join(DECISIONS, name))]

const textOf = (page: string): string => readFileSync(page, 'utf8')
const namesIn = (page: string, pattern: RegExp): string[] =>
  [...textOf(page).matchAll(pattern)].map(([, name = '']) => name)

/** Returns the links of a page that lead to no file, or to no heading of it. */
function brokenLinks(page: string): string[] {
  return namesIn(page, /\]\((?![a-z]+:)([^)\s]+)\)/g).filter((link) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
  })
}

/** The anchors of the headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const prose = textOf(page).replace(/^```.*?^```$/gms, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('the pages for users', () => {
  test('README.md has at most 180 lines', () => {
    assert.ok(textOf('README.md').split('\n').length <= 181)
  })

  test('the index has each page of docs/', () => {
    const listed = namesIn('docs/README.md', /^\| \[[^\]]+\]\((\w[\w-]*\.md)\)/gm).map((name) => `docs/${name}`)
    const pages = USER_PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    assert.deepEqual(listed.sort(), [...pages].sort())
  })

  test('docs/audit.md has each event and each reason of the source (mend: node test/support/audit_tables.ts)', () => {
    assert.equal(textOf('docs/audit.md'), auditPage())
  })
})

describe('the links', () => {
  for (const page of [...USER_PAGES, ...all]) {
    test(`${page}: each link leads to a file, and to a heading of it`, () => {
      assert.deepEqual(brokenLinks(page), [])
    })
  }
})

describe('the pages for contributors', () => {
  for (const page of all) {
    test(`${page}: each file it names exists`, () => {
      // Paths from the root, or from src/; `x` and names in capitals stand for any file, and dist/ is built.
      const names = namesIn(page, /`((?:[\w.-]+\/)+(?:[\w.-]+\.ts)?)`/g).filter(
        (name) => !/^dist\/|[A-Z]{4}/.test(name),
      )
      const missing = names.filter((name) => !existsSync(name) && !existsSync(join('src', name)))
      assert.deepEqual(missing, [])
    })
  }

  test('each test that SECURITY.md names is in its file', () => {
    const named = [...textOf(SECURITY).matchAll(/`(test\/[\w/.]+)`: “([^”]+)”/g)]
    assert.ok(named.length > 20)
    const missing = named.filter(([, file = '', title = '']) => !textOf(file).includes(title))
    assert.deepEqual(missing.map(String), [])
  })

  test('the table of folders has each folder of src', () => {
    const listed = namesIn('.github/ARCHITECTURE.md', /^\| `(\w+)\/` \|/gm)
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.deepEqual(listed.sort(), folders.map(({ name }) => name).sort())
  })

  test('the index has each decision, with its number and title', () => {
    const rows = decisions.sort().map((name) => {
      const [, number = '', title = ''] = /^# (\d+)\. (.+)$/m.exec(textOf(join(DECISIONS, name))) ?? []
      assert.equal(Number(name.slice(0, 4)), Number(number), name)
      return `| ${number} | [${title}](${name}) |`
    })
    const index = textOf(join(DECISIONS, 'README.md'))
    assert.deepEqual(
      index.split('\n').filter((line) => /^\| \d/.test(line)),
      rows,
    )
  })
})
