/**
 * Proves that the package installs and works where nothing else is: `npm run test:install`. It needs the registry, so it is
 * outside the gate.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { startServer } from './support/process.ts'

interface Platform {
  readonly name: string
  /** A package of npm that contains Node. */
  readonly node?: string
  /** Installs a tarball in the current directory. */
  readonly install: (tarball: string) => readonly string[]
  /** Begins each command line of `edgemint`. */
  readonly edgemint: string
}

const BIN = 'node_modules/edgemint/bin/edgemint.js'
const npmInstall = (tarball: string) => ['npm', 'install', '--no-audit', '--no-fund', tarball]

/** 22.13 is the oldest version that `engines` of package.json accepts. */
const PLATFORMS: readonly Platform[] = [
  { name: 'Node 22.13', node: 'node@22.13', install: npmInstall, edgemint: 'npx edgemint' },
  { name: 'Node 22', node: 'node@22', install: npmInstall, edgemint: 'npx edgemint' },
  { name: 'Node 24', node: 'node@24', install: npmInstall, edgemint: 'npx edgemint' },
  { name: 'Bun', install: (tarball) => ['bun', 'add', tarball], edgemint: `bun ${BIN}` },
  { name: 'Deno', install: npmInstall, edgemint: `deno run --allow-all ${BIN}` },
]

const folder = mkdtempSync(join(tmpdir(), 'edgemint-install-'))

function run(cwd: string, environment: NodeJS.ProcessEnv, [command = '', ...args]: readonly string[]): string {
  return execFileSync(command, args, { cwd, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function pack(): string {
  const [packed] = JSON.parse(run('.', process.env, ['npm', 'pack', '--json', '--pack-destination', folder]))
  return join(folder, packed.filename)
}

/** Returns the environment in which the platform's Node comes first. */
function environmentOf({ node }: Platform, tools: string): NodeJS.ProcessEnv {
  const { PATH = '', DEV: _dev, STORE_URL: _store, ...inherited } = process.env
  // Bun and Deno are those of the checkout.
  const own = [resolve('node_modules/.bin')]
  if (node === undefined) return { ...inherited, PATH: [...own, PATH].join(delimiter) }
  mkdirSync(tools)
  run(tools, process.env, ['npm', 'install', '--no-audit', '--no-fund', '--prefix', tools, node])
  return { ...inherited, PATH: [join(tools, 'node_modules', '.bin'), ...own, PATH].join(delimiter) }
}

async function requireToken(origin: string): Promise<void> {
  const credentials = ['-d', 'client_id=test-client', '-d', 'client_secret=foobar']
  const words = ['curl', '--silent', `${origin}/token`, '-d', 'grant_type=client_credentials', ...credentials]
  const { access_token } = JSON.parse(run(folder, process.env, words))
  if (typeof access_token !== 'string') throw new Error('the server issued no token')
}

async function prove(platform: Platform, tarball: string): Promise<string> {
  const project = join(folder, platform.name.replaceAll(' ', '-'))
  mkdirSync(project)
  const environment = environmentOf(platform, `${project}-tools`)
  const version = run(project, environment, ['node', '--version'])
  if (platform.node !== undefined && !version.startsWith(`v${platform.node.slice('node@'.length)}.`))
    throw new Error(`the Node that was found is ${version}`)
  run(project, environment, platform.install(tarball))
  if (!existsSync(join(project, BIN))) throw new Error(`${BIN} is missing`)
  const server = await startServer((port) => ({
    command: `cd ${project} && ${platform.edgemint} serve --dev --port ${port}`,
    environment: { PATH: environment['PATH'] ?? '' },
  }))
  try {
    await requireToken(server.origin)
    if (/warning/i.test(server.output())) throw new Error(`it prints a warning:\n${server.output()}`)
  } finally {
    await server.stop()
  }
  run(project, environment, [...platform.edgemint.split(' '), 'init', 'worker', '--from', tarball])
  const worker = join(project, 'worker')
  // Wrangler runs on Node, whatever runs edgemint.
  run(worker, environment, ['npm', 'install', '--no-audit', '--no-fund'])
  return run(worker, environment, ['npx', 'wrangler', 'deploy', '--dry-run', '--outdir', 'bundle'])
}

const tarball = pack()
let failed = 0
for (const platform of PLATFORMS) {
  try {
    const [upload] = (await prove(platform, tarball)).match(/Total Upload: .*/) ?? []
    console.log(`${platform.name}: installed, issued a token, bundled a Worker (${upload})`)
  } catch (error) {
    failed += 1
    const { message, stderr = '' } = error as Error & { readonly stderr?: string }
    console.error(`${platform.name}: ${message}\n${stderr}`)
  }
}
rmSync(folder, { recursive: true, force: true })
console.log(`${PLATFORMS.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
