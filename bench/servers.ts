/** Edgemint and its floor as real processes, on each runtime. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort, type Running, startServer } from '../test/support/process.ts'

export const RUNTIMES = ['node', 'bun', 'deno', 'workerd'] as const
export type BenchRuntime = (typeof RUNTIMES)[number]

/** What a server is started with. */
export interface Setup {
  readonly folder: string
  readonly signingKeys: string
  /** SQLite file of the process runtimes. */
  readonly database: string
  /** The same records for workerd, by key. */
  readonly records: Readonly<Record<string, string>>
}

const EDGEMINT: Readonly<Record<Exclude<BenchRuntime, 'workerd'>, string>> = {
  node: 'exec node src/index.ts >/dev/null',
  bun: 'exec bun run src/index.ts >/dev/null',
  deno: 'exec deno run --allow-all src/index.ts >/dev/null',
}

const NODE_FLOOR =
  "import('@hono/node-server').then(async ({ serve }) => serve({ ...(await import('./bench/floor.ts')).default, port: Number(process.env.PORT), hostname: '127.0.0.1' }))"

const FLOOR: Readonly<Record<Exclude<BenchRuntime, 'workerd'>, string>> = {
  node: `exec node -e "${NODE_FLOOR}"`,
  bun: 'exec bun -e "const { default: app } = await import(\'./bench/floor.ts\'); Bun.serve({ ...app, port: Number(process.env.PORT) })"',
  deno: 'exec deno serve --allow-all --port $PORT bench/floor.ts',
}

export async function startEdgemint(runtime: BenchRuntime, setup: Setup): Promise<Running> {
  const port = await freePort()
  const settings = { ISSUER: `http://localhost:${port}`, SIGNING_KEYS: setup.signingKeys }
  if (runtime === 'workerd') return startWorkerd('src/index.ts', port, settings, setup)
  const more = { PORT: `${port}`, STORE_URL: `sqlite:${setup.database}` }
  return startServer(EDGEMINT[runtime], port, { ...settings, ...more })
}

export async function startFloor(runtime: BenchRuntime, setup: Setup): Promise<Running> {
  const port = await freePort()
  if (runtime === 'workerd') return startWorkerd('bench/floor.ts', port, {}, setup)
  return startServer(FLOOR[runtime], port, { PORT: `${port}` })
}

/** workerd itself, without `wrangler dev` before it; the KV namespace is a Worker that holds the records. */
function startWorkerd(
  entry: string,
  port: number,
  settings: Record<string, string>,
  { folder, records }: Setup,
): Promise<Running> {
  const place = join(folder, entry.replaceAll('/', '-'))
  mkdirSync(place, { recursive: true })
  const [, date = ''] = /compatibility_date = "(.*)"/.exec(readFileSync('wrangler.toml', 'utf8')) ?? []
  const isEdgemint = entry === 'src/index.ts'
  const own = join(place, 'wrangler.toml')
  writeFileSync(own, `name = "floor"\nmain = "${resolve(entry)}"\ncompatibility_date = "${date}"\nminify = true\n`)
  const config = isEdgemint ? 'wrangler.toml' : own
  execFileSync('wrangler', ['deploy', '--config', config, '--dry-run', '--outdir', place], { stdio: 'pipe' })
  writeFileSync(
    join(place, 'kv.js'),
    `const records = ${JSON.stringify(records)}
export default { fetch(request) {
  const record = records[decodeURIComponent(new URL(request.url).pathname.slice(1))]
  return record === undefined ? new Response(null, { status: 404 }) : new Response(record)
} }`,
  )
  const texts = Object.entries(settings).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`)
  const bindings = [
    '(name = "CLIENTS", kvNamespace = "kv")',
    ...(isEdgemint ? ['(name = "LEDGER", durableObjectNamespace = "Ledger")'] : []),
    ...texts,
  ]
  const objects = isEdgemint
    ? 'durableObjectNamespaces = [(className = "Ledger", uniqueKey = "ledger", enableSql = true)], durableObjectStorage = (inMemory = void),'
    : ''
  const file = entry === 'src/index.ts' ? 'index.js' : 'floor.js'
  writeFileSync(
    join(place, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "kv", worker = .kv)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "${file}")],
  compatibilityDate = "${date}",
  ${objects}
  bindings = [${bindings.join(', ')}]
);
const kv :Workerd.Worker = (modules = [(name = "kv.js", esModule = embed "kv.js")], compatibilityDate = "${date}");
`,
  )
  return startServer(`exec workerd serve ${resolve(place)}/config.capnp config >/dev/null`, port)
}
