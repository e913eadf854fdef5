/**
 * Reporter of `node --test`: JUnit XML, one element for each test that ended. Node's own names the file in which a test function was
 * called, which for shared contracts is not the test file, and does not report what a file that cannot be loaded printed.
 */

import { relative } from 'node:path'
import process from 'node:process'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { escapeXml } from './junit.ts'

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const names: string[] = []
  yield '<testsuites>\n'
  for await (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name)
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { entryFile } = data as typeof data & { readonly entryFile?: string }
    // The process of a file is itself reported as a test when it fails, or when it ran none.
    const isFile = entryFile === undefined
    const error = type === 'test:fail' ? data.details.error : undefined
    if (error === undefined ? isFile || data.details.type === 'suite' : isOfSubtests(error)) continue
    const file = relative(process.cwd(), entryFile ?? data.file ?? '')
    const name = isFile ? file : [...names.slice(0, data.nesting), data.name].join(' > ')
    const failure = error && `<failure>${escapeXml(inspect(error.cause ?? error))}</failure>`
    const skipped = data.skip === undefined ? '' : '<skipped/>'
    yield `<testcase file="${escapeXml(file)}" name="${escapeXml(name)}">${failure ?? skipped}</testcase>\n`
  }
  yield '</testsuites>\n'
}

/** Whether it says only that a test in the suite failed. */
function isOfSubtests(error: Error): boolean {
  return (error as Error & { readonly failureType?: string }).failureType === 'subtestsFailed'
}
