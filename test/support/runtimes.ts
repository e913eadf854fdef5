/** The server as a process on each runtime, with a store of its own; on workerd, the Worker that `wrangler deploy` would upload. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KvModel, startKv } from './kv_model.ts'
import { type Running, startServer } from './process.ts'
import { bundleWorker, serveWorker } from './workerd.ts'

export const RUNTIMES = ['node', 'bun', 'deno', 'workerd'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** By the module that is loaded first. */
const COMMANDS: Readonly<Record<Exclude<Runtime, 'workerd'>, (preload: string | undefined) => string>> = {
  node: (preload) => `exec node ${preload ? `--import ${preload}` : ''} src/index.ts`,
  bun: (preload) => `exec bun run ${preload ? `--preload ${preload}` : ''} src/index.ts`,
  deno: (preload) => `exec deno run --allow-all --unstable-kv ${preload ? `--preload ${preload}` : ''} src/index.ts`,
}

export interface Serving {
  /** Another store than an SQLite file in `folder`. No effect on workerd. */
  readonly storeUrl?: string | undefined
  /** Port of this machine at which every request of the server to other hosts arrives, over HTTP. */
  readonly outsidePort?: number
}

export interface Served extends Running {
  /** What the server stores files in; removed when it stops. */
  readonly folder: string
  readonly kv?: KvModel
}

export async function serveOn(
  runtime: Runtime,
  settings: Readonly<Record<string, string>>,
  { storeUrl, outsidePort }: Serving = {},
): Promise<Served> {
  if (runtime === 'workerd') return serveWorkerd(settings, outsidePort)
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  const preload = outsidePort === undefined ? undefined : './test/support/outside.ts'
  const outside = outsidePort === undefined ? {} : { OUTSIDE_ORIGIN: `http://127.0.0.1:${outsidePort}` }
  const running = await startServer((port) => ({
    command: COMMANDS[runtime](preload),
    environment: {
      ...settings,
      ...outside,
      PORT: `${port}`,
      STORE_URL: storeUrl ?? `sqlite:${join(folder, 'edgemint.db')}`,
    },
  }))
  const stop = async (): Promise<void> => {
    await running.stop()
    rmSync(folder, { recursive: true })
  }
  return { ...running, folder, stop }
}

async function serveWorkerd(settings: Readonly<Record<string, string>>, outsidePort?: number): Promise<Served> {
  const kv = await startKv()
  const folder = bundleWorker()
  const running = await serveWorker(folder, settings, kv.port, ['a'], outsidePort)
  const stop = async (): Promise<void> => {
    await running.stop()
    kv.close()
    rmSync(folder, { recursive: true })
  }
  return { ...running, origin: running.origins[0] ?? '', folder, kv, stop }
}
