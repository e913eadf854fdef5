/** Configures workerd to run directly, without the proxy of `wrangler dev`. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { runToEnd } from './child.ts'
import type { Setup } from './world.ts'

/** Bundles a module as `wrangler deploy` does and writes a configuration that serves it on `port`. Returns its path. */
export async function workerdConfig(
  module: string,
  port: number,
  settings: Record<string, string>,
  { folder, record }: Setup,
): Promise<string> {
  const place = resolve(folder, module.replaceAll('/', '-'))
  const bundle = join(place, `${basename(module, '.ts')}.js`)
  const [, date = ''] = /compatibility_date = "(.*)"/.exec(readFileSync('wrangler.toml', 'utf8')) ?? []
  mkdirSync(place, { recursive: true })
  if (!existsSync(bundle)) await makeBundle(module, place, date)
  writeFileSync(
    join(place, 'kv.js'),
    KV.replace('RECORD', () => JSON.stringify(record)),
  )
  const texts = Object.entries(settings).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`)
  const isServer = texts.length > 0
  const file = join(place, 'config.capnp')
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "kv", worker = .kv)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed "${basename(bundle)}")],
  compatibilityDate = "${date}",
  bindings = [${isServer ? [...texts, ...BINDINGS].join(', ') : ''}],
  ${isServer ? OBJECTS : ''}
);
const kv :Workerd.Worker = (modules = [(name = "kv.js", esModule = embed "kv.js")], compatibilityDate = "${date}");
`,
  )
  return file
}

/** Replaces KV, whose own time is not measured: every client has the record of the first one with its own id. */
const KV = `const record = RECORD
export default { fetch(request) {
  if (request.method === 'PUT') return new Response(null)
  const [, id] = /^\\/client:(client-\\d+)$/.exec(decodeURIComponent(new URL(request.url).pathname)) ?? []
  return id === undefined ? new Response(null, { status: 404 }) : new Response(record.replace('client-0', id))
} }
`

const BINDINGS = ['(name = "CLIENTS", kvNamespace = "kv")', '(name = "LEDGER", durableObjectNamespace = "Ledger")']

const OBJECTS = `durableObjectNamespaces = [(className = "Ledger", uniqueKey = "ledger", enableSql = true)],
  durableObjectStorage = (inMemory = void),`

async function makeBundle(module: string, place: string, date: string): Promise<void> {
  const own = join(place, 'wrangler.toml')
  writeFileSync(own, `name = "bench"\nmain = "${resolve(module)}"\ncompatibility_date = "${date}"\nminify = true\n`)
  const config = module === 'src/index.ts' ? 'wrangler.toml' : own
  await runToEnd('wrangler', ['deploy', '--config', config, '--dry-run', '--outdir', place])
}
