/** `npm test` itself, on the runners of three runtimes; the one of workerd needs the whole repository. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { describe, test } from '#test'

const IMPORT = "import { describe, test } from '#test'\n"
const PASSES = `${IMPORT}describe('suite', () => test('one', () => undefined))\n`
const FAILS = `${IMPORT}describe('outer <&>', () => describe('inner', () => {
  test('passes', () => undefined)
  test('fails', () => { throw new Error('it is broken') })
}))\n`

/** Runs `test/run.ts` in a folder that has these test files and nothing else of this repository's. */
async function runIn(files: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  for (const file of ['package.json', 'test/support/node_test.ts']) cpSync(file, join(folder, file))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  // A runner that finds itself inside another one reports to that.
  const { NODE_TEST_CONTEXT: _context, VERBOSE: _verbose, ...env } = process.env
  const ran = promisify(execFile)('node', [resolve('test/run.ts'), ...words], { cwd: folder, env })
  const { code = 0, stdout, stderr } = await ran.catch((error) => error)
  return { code, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1) }
}

describe('npm test', () => {
  test('counts the tests of each runtime, and lists none that passes unless it is verbose', async () => {
    const files = { 'test/a.test.ts': PASSES, 'test/b.process.test.ts': PASSES, 'test/c.node.test.ts': PASSES }
    const { code, stdout, last } = await runIn(files, 'deno', 'bun', 'node')
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^deno +2 files, 2 tests passed, 0 failed, \d+ s\nbun +2 files, 2 .*\nnode +3 files, 3 /m)
    assert.equal(last, 'runtimes: 3 passed, 0 failed')
    assert.doesNotMatch(stdout, /suite/)
    assert.match((await runIn(files, 'node', '--verbose')).stdout, /suite\n.*one/)
  })

  const failures: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ['a test that fails', FAILS, / {2}outer <&> > inner > fails\n.*it is broken/],
    ['a module that is absent', `${IMPORT}import './absent.ts'\n`, /absent\.ts/],
    ['a file without a test', 'export {}\n', /no test of it ran/],
    [
      'an end in the midst',
      `${IMPORT}import process from 'node:process'\ntest('x', () => process.exit(0))\n`,
      /no test of it ran|Cancelled|ended with 0/,
    ],
  ]
  for (const [name, text, expected] of failures) {
    test(`fails on every runtime, and ends with the reason: ${name}`, async () => {
      const files = { 'test/good.test.ts': PASSES, 'test/bad.test.ts': text }
      const { code, stdout, last } = await runIn(files, 'deno', 'bun', 'node')
      assert.equal(code, 1, stdout)
      assert.equal(last, 'runtimes: 0 passed, 3 failed')
      const [, ...reports] = stdout.split('\nFAILED on ')
      const runtimes = new Set(reports.map((report: string) => report.split(':')[0]))
      assert.deepEqual([...runtimes], ['deno', 'bun', 'node'])
      for (const report of reports) assert.match(report, expected)
    })
  }

  test('runs what the words choose: folders, files, runtimes', async () => {
    const files = { 'test/a/x.test.ts': PASSES, 'test/a/y.node.test.ts': PASSES, 'test/ab.test.ts': PASSES }
    const some = await runIn(files, 'node', 'test/a/')
    assert.match(some.stdout, /^node +2 files, 2 tests/m)
    const one = await runIn(files, './test/a/y.node.test.ts')
    assert.match(one.stdout, /^node +1 files, 1 tests/m)
    assert.equal(one.last, 'runtimes: 1 passed, 0 failed')
  })

  test('refuses words that choose nothing, and runs nothing', async () => {
    const files = { 'test/a.node.test.ts': PASSES }
    for (const words of [['nodejs'], ['node', 'test/b'], ['bun', 'test/a.node.test.ts'], ['bun'], ['test/a']]) {
      const { code, stdout, stderr } = await runIn(files, ...words)
      assert.deepEqual([code, stdout], [2, ''], words.join(' '))
      assert.ok(stderr.includes(words.at(-1)) || stderr.includes('bun'), stderr)
    }
  })
})
