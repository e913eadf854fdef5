/** Reporter of `node --test`: what the test files print, under the name of the file, and nothing about the tests. */

import { relative } from 'node:path'
import process from 'node:process'
import type { TestEvent } from 'node:test/reporters'

export default async function* output(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let last = ''
  for await (const { type, data } of events) {
    if (type !== 'test:stdout' && type !== 'test:stderr') continue
    const file = relative(process.cwd(), data.file)
    if (file !== last) yield `\n${file}:\n`
    last = file
    yield data.message
  }
}
