import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { describe, test } from '#test'
import { startServer } from './support/process.ts'

/** What a machine without an account, or inside this very run, cannot do; each pattern must still stand in the README. */
const CANNOT_RUN: readonly [pattern: RegExp, why: string][] = [
  [/^npm ci && npm test$/m, 'runs this test'],
  [/^npx wrangler deploy$/m, 'needs an account'],
]

const README_ORIGIN = 'http://localhost:8080'

/** A copy of what git would give a newcomer, beside the packages that `npm ci` would give. */
function freshCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-readme-'))
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  for (const file of files.trim().split('\n')) cpSync(file, join(folder, file), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  return folder
}

const readme = readFileSync('README.md', 'utf8')
const blocksOf = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block.trim())
const blocks = blocksOf('sh')
const runnable = blocks.filter((block) => !CANNOT_RUN.some(([pattern]) => pattern.test(block)))
/** The PATH of a newcomer: npm puts the project's own programs there only for its scripts. */
const PATH = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .join(delimiter)

const isServer = (block: string) => /npm run dev|node src\/index\.ts/.test(block)
const isCurl = (block: string) => block.startsWith('curl ')
const curls = runnable.filter(isCurl)
const servers = runnable.filter(isServer)
const isClient = (block: string) => block.includes('edgemint clients')
const clients = runnable.filter(isClient)
const others = runnable.filter((block) => ![isCurl, isServer, isClient].some((is) => is(block)))

describe('README', () => {
  const folder = freshCheckout()

  test('holds the blocks that this test knows', () => {
    for (const [pattern, why] of CANNOT_RUN)
      assert.ok(
        blocks.some((block) => pattern.test(block)),
        why,
      )
    const counts = [curls, servers, clients, others, blocksOf('ts')].map(({ length }) => length)
    assert.deepEqual(counts, [3, 5, 1, 2, 2])
  })

  for (const block of others) {
    test(`runs: ${block.split('\n')[0]}`, () => {
      const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH } } as const
      const { status, stderr } = spawnSync('sh', ['-ec', block], options)
      assert.equal(status, 0, stderr)
    })
  }

  for (const block of servers) {
    test(`serves: ${block.split('\n').at(-1)}`, async () => {
      const isWrangler = /npm run dev$/.test(block)
      // The packages are there already: `npm ci` itself is proven by the gate, which begins with it.
      const command = `cd ${folder} && ${block.replace('npm ci && ', '')}`
      const server = await startServer((port) => ({
        command: isWrangler ? `${command} -- --port ${port}` : command,
        environment: { PORT: `${port}`, PATH },
      }))
      try {
        const isDevelopment = block.includes('npm run dev')
        const secret = isDevelopment ? '' : makeClient(folder, server.origin)
        for (const curl of isDevelopment ? curls : curls.map((each) => asReporting(each, secret))) {
          const { stdout } = spawnSync('sh', ['-c', curl.replace(README_ORIGIN, server.origin)], { encoding: 'utf8' })
          const body = JSON.parse(stdout)
          if (curl.includes('/token')) assert.equal(body.token_type, 'bearer', stdout)
          else assert.equal(body.keys.length, 1)
          if (isDevelopment && curl.includes('/token')) verifyAsShown(folder, server.origin, body.access_token)
        }
      } catch (error) {
        throw new Error(server.output(), { cause: error })
      } finally {
        await server.stop()
      }
    })
  }
})

/** In production the README's own client takes the place of `test-client`. */
function asReporting(curl: string, secret: string): string {
  return curl.replace('test-client', 'reporting').replace('foobar', secret).replace('scope=read', 'scope=reports.read')
}

/** Runs the README's lines that make a client; gives its secret. */
function makeClient(folder: string, origin: string): string {
  const [block = ''] = clients
  const options = { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH, EDGEMINT_URL: origin } } as const
  const { stdout, stderr } = spawnSync('sh', ['-ec', block], options)
  const [, secret] = /client_secret +(emint_\S+)/.exec(stdout) ?? []
  assert.ok(secret !== undefined, stdout + stderr)
  return secret
}

/** Runs the README's code for resource servers on a token: what it gives is the subject. */
function verifyAsShown(folder: string, origin: string, token: string): void {
  for (const block of blocksOf('ts')) {
    const given = Object.entries({ token, issuer: origin, audience: origin })
    const isMiddleware = block.includes('app.get')
    const script = [
      ...given.map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`),
      block.replace(README_ORIGIN, origin),
      isMiddleware
        ? "console.log(await (await app.request('/', { headers: { Authorization: 'Bearer ' + token } })).text())"
        : 'console.log(payload.sub)',
    ]
    const options = { cwd: folder, encoding: 'utf8', input: script.join('\n') } as const
    const { stdout, stderr } = spawnSync('node', ['--input-type=module-typescript', '-'], options)
    assert.equal(stdout.trim(), 'test-client', stderr)
  }
}
