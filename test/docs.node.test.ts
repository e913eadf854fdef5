/** Runs, type-checks or parses each block of README.md and docs/, in a fresh checkout. */

import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from '#test'
import { blocks, inLanguage } from './support/doc_blocks.ts'
import {
  configureAsShown,
  curlAsShown,
  freshCheckout,
  PATH,
  verifyAsShown,
  withServer,
} from './support/doc_checkout.ts'
import { GLOBALS, TSCONFIG, VERIFIERS } from './support/doc_types.ts'

/** Shell blocks that cannot run here; their syntax is checked. Each pattern must match a block. */
const NOT_RUN: readonly [pattern: RegExp, why: string][] = [
  [/^npx wrangler (login|deploy$|deploy --env)/m, 'needs an account'],
  [/npx wrangler secret put/, 'needs an account'],
  [/npx wrangler tail/, 'needs an account'],
  [/CLIENT_SECRET/, 'runs in production, with the secret of the client'],
  [/git pull/, 'needs an account'],
  [/npm pack$/, 'the tests of the package pack it'],
  [/^npm install/, 'the tests of the package install it'],
  [/psql/, 'needs the database of Hydra'],
  [/^jq/, 'needs jq and a log'],
  [/^docker/, 'needs Docker'],
  [/--explain token\.jwt/, 'needs the token of a platform'],
  [/issuers create --preset github/, 'needs the network'],
  [/^kubectl/m, 'needs a cluster'],
  [/^spire-server/, 'needs SPIRE'],
  [/^aws /, 'needs an account'],
  [/^vault /, 'needs Vault'],
  [/^wget .*Metadata/, 'needs a machine of that cloud'],
]

/** Languages of blocks that are not checked, because no program of the lock file reads them. */
const NOT_CHECKED: Readonly<Record<string, string>> = {
  apacheconf: 'needs Apache; test/gateways/proxies.ts runs it',
  caddyfile: 'needs Caddy',
  go: 'needs Go and its packages; test/gateways/languages.ts runs one',
  haproxy: 'needs HAProxy; test/gateways/proxies.ts runs it',
  ini: 'needs systemd',
  java: 'needs Java and Spring',
  mermaid: 'is drawn by the page',
  js: 'needs the server at its URL; its API is that of Node',
  nginx: 'needs nginx; test/gateways/proxies.ts runs one',
  yaml: 'needs Envoy, a cluster or a CI service',
}

const CHECKED = ['json', 'python', 'sh', 'toml', 'ts']

const README_ORIGIN = 'http://localhost:8080'
const ISSUER = 'https://tokens.example.com'
const isCurl = (text: string) => text.startsWith('curl ')
const isServer = (text: string) => /npm run dev|node src\/index\.ts/.test(text)
const isOperator = (text: string) =>
  /edgemint (clients|resources|issuers) |"\$EDGEMINT_URL/.test(text) && !text.includes('--help')

const shell = inLanguage('sh').map(({ text }) => text)
const reasonOf = (text: string) => NOT_RUN.find(([pattern]) => pattern.test(text))
const runnable = shell.filter((text) => reasonOf(text) === undefined)
const readme = readFileSync('README.md', 'utf8')
const development = [...new Set(readme.match(/npm run dev(:\w+)?/g))]
const [production = ''] = runnable.filter((text) => isServer(text) && !text.includes('npm run dev'))
const others = runnable.filter((text) => ![isCurl, isServer, isOperator].some((is) => is(text)))

/** Saves the start of npm for blocks of docs/; the README's run with the real `npx`. */
const WITHOUT_NPM =
  'npx() { [ "$1" = edgemint ] || { command npx "$@"; return; }; shift; node_modules/.bin/node src/cli/edgemint.ts "$@"; }\n'

describe('README.md and docs/', () => {
  const folder = freshCheckout()
  const run = (text: string, environment: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> => {
    // A page may generate a file that an earlier page has generated.
    if (text.includes('keys generate')) rmSync(join(folder, 'signing-keys.json'), { force: true })
    const env = { ...process.env, PATH, ...environment }
    return spawnSync('bash', ['-ec', readme.includes(text) ? text : WITHOUT_NPM + text], {
      cwd: folder,
      encoding: 'utf8',
      env,
    })
  }

  test('each block has a language, and each language and each exception is known here', () => {
    const known = [...CHECKED, ...Object.keys(NOT_CHECKED)].sort()
    assert.deepEqual([...new Set(blocks.map(({ language }) => language))].sort(), known)
    for (const [pattern, why] of NOT_RUN)
      assert.ok(
        shell.some((text) => pattern.test(text)),
        `${pattern} ${why}`,
      )
    for (const [name] of VERIFIERS)
      assert.ok(
        inLanguage('ts').some(({ text }) => text.includes(name)),
        name,
      )
    assert.deepEqual(runnable.filter(isServer), ['npm ci && npm run dev', production])
    assert.deepEqual(development, ['npm run dev', 'npm run dev:deno', 'npm run dev:bun', 'npm run dev:node'])
  })

  test('the shell blocks that do not run here have valid syntax', () => {
    for (const text of shell.filter((each) => reasonOf(each) !== undefined)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })
      assert.equal(status, 0, text + stderr)
    }
  })

  test('the JSON blocks parse', () => {
    for (const { text } of inLanguage('json')) JSON.parse(text)
  })

  test('the Python blocks compile', () => {
    const source = 'import sys; compile(sys.stdin.read(), "block", "exec")'
    for (const { text } of inLanguage('python')) {
      const { status, stderr, error } = spawnSync('python3', ['-c', source], { input: text, encoding: 'utf8' })
      assert.equal(error === undefined ? status : 0, 0, stderr)
    }
  })

  test('the TypeScript blocks have correct types', () => {
    const place = join(folder, 'blocks')
    mkdirSync(place)
    writeFileSync(join(place, 'globals.d.ts'), GLOBALS)
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(TSCONFIG))
    for (const [index, { page, text }] of inLanguage('ts').entries())
      writeFileSync(join(place, `${page.replace(/\W/g, '_')}_${index}.ts`), text)
    const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['-p', place], { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })

  for (const text of others) {
    test(`runs: ${text.split('\n')[0]}`, () => {
      const isDryRun = text.includes('--dry-run')
      if (isDryRun) configureAsShown(folder)
      const { status, stderr, stdout } = run(isDryRun ? `${text} --config wrangler.docs.toml --env staging` : text)
      assert.equal(status, 0, stderr + stdout)
    })
  }

  for (const command of development) {
    test(`serves: ${command}`, async () => {
      const isWrangler = command === 'npm run dev'
      const isThorough = command === 'npm run dev:node'
      await withServer(
        folder,
        isWrangler ? (port) => `${command} -- --port ${port}` : () => command,
        async (origin) => {
          const curls = runnable.filter((text) => isCurl(text) && (isThorough || readme.includes(text)))
          for (const text of curls) await curlAsShown(text.replace(README_ORIGIN, origin), origin)
          await verifyAsShown(folder, origin, isThorough ? VERIFIERS.map(([name]) => name) : ['const { payload }'])
        },
      )
    })
  }

  test(`serves in production, with clients: ${production.split('\n').at(-1)}`, async () => {
    await withServer(
      folder,
      () => production,
      async (origin) => {
        for (const text of runnable.filter(isOperator)) {
          const here = text.replaceAll(ISSUER, origin)
          const token = readFileSync(join(folder, 'operator-token'), 'utf8').trim()
          const { status, stdout, stderr } = run(here, { EDGEMINT_URL: origin, EDGEMINT_TOKEN: token })
          assert.equal(status, 0, text + stdout + stderr)
          const [, secret] = /client_secret +(emint_\S+)/.exec(stdout) ?? []
          if (text.includes('--id reporting')) {
            const curl = shell.find((each) => each.startsWith(`curl ${README_ORIGIN}/token -u "reporting:`))
            assert.ok(curl !== undefined)
            const { stdout: answer } = run(curl.replace(README_ORIGIN, origin), { CLIENT_SECRET: `${secret}` })
            assert.equal(JSON.parse(answer).token_type, 'bearer')
          }
        }
      },
    )
  })
})
