/** The Worker that `wrangler deploy` would upload, served by plain workerd: without `wrangler dev`, which is not what is deployed. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LOCATION_HEADER } from './kv_model.ts'
import { freePort, type Running, startServer } from './process.ts'

const [, date = ''] = /compatibility_date = "(.*)"/.exec(readFileSync('wrangler.toml', 'utf8')) ?? []

/** Bundles the Worker; returns the folder, which holds `index.js`. */
export function bundleWorker(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  execFileSync('wrangler', ['deploy', '--dry-run', '--outdir', folder], { stdio: 'pipe' })
  return folder
}

export interface Deployed extends Running {
  /** The origin of each location, in the order in which they were named. */
  readonly origins: readonly string[]
}

/**
 * Serves the bundle in `folder` at several locations, which share the Durable Objects. Their storage is in the folder, and
 * outlives the process.
 *
 * @param kvPort where the KV model listens
 * @param outsidePort where requests to other hosts arrive, over HTTP; otherwise they go out
 */
export async function serveWorker(
  folder: string,
  settings: Record<string, string>,
  kvPort: number,
  locations: readonly string[] = ['a'],
  outsidePort?: number,
): Promise<Deployed> {
  const storage = join(folder, 'storage')
  mkdirSync(storage, { recursive: true })
  const outside = outsidePort === undefined ? '' : 'globalOutbound = "outside",'
  const texts = Object.entries(settings).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`)
  const worker = (location: string, more = ''): string => `(name = "${location}", worker = (
    modules = [(name = "main.js", esModule = embed "index.js")],
    compatibilityDate = "${date}",
    bindings = [
      (name = "CLIENTS", kvNamespace = "kv-${location}"),
      (name = "LEDGER", durableObjectNamespace = (className = "Ledger", serviceName = "objects")),
      ${texts.join(', ')}
    ],
    ${outside}
    ${more}
  ))`
  const kv = (location: string): string => `(name = "kv-${location}", external = (
    address = "127.0.0.1:${kvPort}",
    http = (injectRequestHeaders = [(name = "${LOCATION_HEADER}", value = "${location}")])
  ))`
  const objects = `durableObjectNamespaces = [(className = "Ledger", uniqueKey = "ledger", enableSql = true)],
    durableObjectStorage = (localDisk = "storage")`
  const services = [
    worker('objects', objects),
    kv('objects'),
    ...locations.flatMap((location) => [worker(location), kv(location)]),
    ...(outsidePort === undefined
      ? []
      : [`(name = "outside", external = (address = "127.0.0.1:${outsidePort}", http = ()))`]),
    `(name = "storage", disk = (path = "${storage}", writable = true))`,
  ]
  const file = join(folder, 'config.capnp')
  let ports: readonly number[] = []
  const running = await startServer(async (port) => {
    ports = [port, ...(await Promise.all(locations.slice(1).map(freePort)))]
    const sockets = locations.map(
      (location, index) =>
        `(name = "${location}", address = "127.0.0.1:${ports[index]}", http = (), service = "${location}")`,
    )
    writeFileSync(
      file,
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}], sockets = [${sockets.join(', ')}]);
`,
    )
    return { command: `exec workerd serve --control-fd=1 ${file}` }
  })
  return { ...running, origins: ports.map((port) => `http://127.0.0.1:${port}`) }
}
