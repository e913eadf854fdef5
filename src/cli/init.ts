/** `edgemint init`: writes a project for a Worker that depends on the package. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { nonEmpty } from './arguments.ts'
import { CliError } from './errors.ts'
import { print, printJson } from './output.ts'

interface InitOptions {
  readonly from?: string
  readonly json?: boolean
}

export function initCommand(): Command {
  return new Command('init')
    .description('Writes a project for a Cloudflare Worker into a new or empty directory. It needs no network.')
    .argument('[directory]', 'where to write it', nonEmpty, '.')
    .option('--from <file>', 'install edgemint from this tarball of npm pack (default: this version from npm)')
    .option('--json', 'print JSON, also for errors')
    .action(init)
}

function init(directory: string, { from, json }: InitOptions): void {
  const files = projectFiles(directory, from)
  try {
    requireEmpty(directory)
    for (const [file, text] of Object.entries(files)) {
      const path = join(directory, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { flag: 'wx' })
    }
  } catch (error) {
    throw error instanceof CliError ? error : new CliError('usage', error instanceof Error ? error.message : `${error}`)
  }
  if (json) printJson({ directory, files: Object.keys(files) })
  else printNext(directory, Object.keys(files), from === undefined && manifest().private === true)
}

function printNext(directory: string, files: readonly string[], isUnpublished: boolean): void {
  for (const file of files) print(`wrote ${join(directory, file)}`)
  if (isUnpublished) for (const line of UNPUBLISHED) print(line)
  const enter = resolve(directory) === resolve('.') ? [] : [`  cd ${shellWord(directory)}`]
  for (const line of ['', 'Next:', ...enter, ...NEXT]) print(line)
}

/** Returns a path as a word that a shell expands to nothing else and `cd` does not take for an option. */
function shellWord(path: string): string {
  const named = path.startsWith('-') ? `./${path}` : path
  return /^[\w./@%+=:,-]+$/.test(named) ? named : `'${named.replaceAll("'", "'\\''")}'`
}

/** A new repository of Git counts as empty. */
function requireEmpty(directory: string): void {
  const held = existsSync(directory) ? readdirSync(directory).filter((file) => file !== '.git') : []
  if (held.length > 0)
    throw new CliError('usage', `${directory} is not empty, it contains ${held[0]}; choose a new directory`)
}

const UNPUBLISHED = [
  '',
  'edgemint is not on npm yet, and a package of that name there is not ours. Before you run npm install,',
  'let package.json name a tarball of npm pack, as init does with --from FILE.',
]

const NEXT = [
  '  npm install',
  '  npm run dev        starts it in development mode and prints a request to try',
  '  npm run deploy     deploys it; README.md says which secrets it needs',
]

function dependencyOn(tarball: string, directory: string): string {
  if (!existsSync(tarball)) throw new CliError('usage', `--from ${tarball}: there is no such file`)
  // npm resolves a relative path from the directory of package.json.
  const path = isAbsolute(tarball) ? tarball : relative(resolve(directory), resolve(tarball))
  return `file:${path.replaceAll('\\', '/')}`
}

/** Returns the package.json of this package. */
function manifest(): { version: string; private?: boolean; devDependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}

/** Returns the versions of wrangler from the one that this package is tested with. Some tools pack no development dependencies. */
function wranglerRange(tested: string | undefined): string {
  if (tested === undefined) return 'latest'
  return /^\d/.test(tested) ? `^${tested}` : tested
}

function projectFiles(directory: string, from: string | undefined): Readonly<Record<string, string>> {
  const { version, devDependencies } = manifest()
  const edgemint = from === undefined ? `^${version}` : dependencyOn(from, directory)
  const project = {
    name: 'token-server',
    private: true,
    type: 'module',
    scripts: { dev: 'wrangler dev', deploy: 'wrangler deploy' },
    dependencies: { edgemint },
    devDependencies: { wrangler: wranglerRange(devDependencies?.['wrangler']) },
  }
  return {
    'package.json': `${JSON.stringify(project, null, 2)}\n`,
    'wrangler.toml': WRANGLER,
    'src/index.js': ENTRY,
    '.dev.vars': '# Read by `wrangler dev` only.\nDEV=true\n',
    '.gitignore': 'node_modules/\n.wrangler/\n.dev.vars.*\n.env*\nsigning-keys.json\noperator-token\n',
    'README.md': README,
  }
}

const ENTRY = `// The token server. wrangler.toml binds its stores; its settings are secrets.
export { default, Ledger } from 'edgemint/worker'
`

const WRANGLER = `name = "token-server"
main = "src/index.js"
compatibility_date = "2026-10-01"
minify = true
keep_names = false
# To use a name in a zone of your account:
# routes = [{ pattern = "tokens.example.com", custom_domain = true }]
# workers_dev = false

# Without an id, the first \`wrangler deploy\` creates the namespace.
[[kv_namespaces]]
binding = "CLIENTS"

[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Ledger"]

[observability]
enabled = true

[dev]
port = 8080
`

const README = `# Token server

An edgemint token server on Cloudflare Workers.

    npm install
    npm run dev

To deploy, generate keys (or set KEY_ENCRYPTION_KEYS instead of SIGNING_KEYS, and the Worker makes and rotates them)
and a token for the operator, and set three secrets. Until they are set, the Worker answers 503.

    npx edgemint keys generate --alg ES256 --file signing-keys.json
    (umask 077 && openssl rand -hex 32 > operator-token)
    npx wrangler deploy
    echo https://tokens.example.com | npx wrangler secret put ISSUER
    npx wrangler secret put SIGNING_KEYS < signing-keys.json
    npx wrangler secret put REGISTRATION_TOKEN < operator-token

Then create a client:

    EDGEMINT_TOKEN="$(cat operator-token)" npx edgemint clients create --url https://tokens.example.com --scope "reports.*"
`
