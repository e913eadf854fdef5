/** Reads the JUnit XML that the test runners write. They agree on its elements, but not on where a test's file and full name stand. */

export interface TestCase {
  /** Relative to the root of the repository. */
  readonly file: string
  /** With the names of the suites around it. */
  readonly name: string
  readonly isSkipped: boolean
  /** Of a test that failed: the error and where it was thrown. */
  readonly message: string | undefined
}

export interface Report {
  readonly cases: readonly TestCase[]
  /** Files that hold at least one of the tests. */
  readonly files: ReadonlySet<string>
}

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(?<end>\/?)(?<tag>[\w-]+)(?<attributes>(?:\s+[\w:-]+="[^"]*")*)\s*(?<empty>\/?)>|(?<text>[^<]+)/g
const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) =>
    code === undefined ? (ENTITIES[name] ?? all) : String.fromCodePoint(Number(code)),
  )
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

export function readReport(xml: string): Report {
  const cases: TestCase[] = []
  const suites: string[] = []
  let open: { file: string; name: string; isSkipped: boolean; message: string | undefined } | undefined
  for (const { groups = {} } of xml.matchAll(TOKEN)) {
    const { tag, end, empty, text, attributes = '' } = groups
    const given = Object.fromEntries(
      [...attributes.matchAll(ATTRIBUTE)].map(([, name, value = '']) => [name, unescapeXml(value)]),
    )
    if (tag === 'testsuite') {
      if (end) suites.pop()
      else if (!empty) suites.push(given['name'] ?? '')
    } else if (tag === 'testcase' && !end) {
      const file = (given['file'] ?? given['classname'] ?? '').replace(/^\.\//, '')
      // The outermost suite is the file.
      open = { file, name: [...suites.slice(1), given['name']].join(' > '), isSkipped: false, message: undefined }
    } else if (open !== undefined && !end) {
      if (tag === 'skipped') open.isSkipped = true
      if (tag === 'failure' || tag === 'error') open.message = given['message'] ?? ''
      if (text?.trim() && open.message !== undefined) open.message = unescapeXml(text).trim()
    }
    if (tag === 'testcase' && (end || empty) && open !== undefined) {
      cases.push(open)
      open = undefined
    }
  }
  return ofDeno({ cases, files: new Set(cases.map(({ file }) => file)) })
}

/** Deno reports suites as tests too, and the tests in them without their file. Other reports are returned as they are. */
function ofDeno({ cases, files }: Report): Report {
  const isStep = ({ file }: TestCase): boolean => file.startsWith('ext:')
  if (!cases.some(isStep)) return { cases, files }
  const roots = Map.groupBy(
    cases.filter((each) => !isStep(each)),
    ({ name }) => name,
  )
  const suites = new Set<string>()
  const resolved = cases.map((each) => {
    if (!isStep(each)) return each
    const names = each.name.split(' > ')
    const outer = names.slice(0, -1).map((_, index) => names.slice(0, index + 1).join(' > '))
    for (const name of outer) suites.add(name)
    const candidates = outer.flatMap((name) => roots.get(name) ?? [])
    const root = candidates.find(({ message }) => message !== undefined && each.message !== undefined) ?? candidates[0]
    return { ...each, file: root?.file ?? '' }
  })
  const isSuite = ({ name, message }: TestCase): boolean =>
    suites.has(name) && (message === undefined || /^\d+ test steps? failed/.test(message))
  return { cases: resolved.filter((each) => !isSuite(each)), files: new Set(resolved.map(({ file }) => file)) }
}
