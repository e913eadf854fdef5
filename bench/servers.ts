/** Starts the server, and the modules that it is compared with, as real processes on each runtime, all on one core. */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type Launch, type Running, startServer } from '../test/support/process.ts'
import { takeTheOtherCores } from './load.ts'
import { workerdConfig } from './workerd.ts'
import type { Setup } from './world.ts'

export const RUNTIMES = ['node', 'bun', 'deno', 'workerd'] as const
export type BenchRuntime = (typeof RUNTIMES)[number]

/** Modules whose default export is served. `SERVER` is edgemint itself. */
export const SERVER = 'src/index.ts'
export const FLOOR = 'bench/floor.ts'
export const MODULES = 'bench/modules.ts'
export const EMPTY = 'bench/empty.ts'

export const isPinned: boolean = takeTheOtherCores(availableParallelism())
const PINNED = isPinned ? 'taskset --cpu-list 0 ' : ''
const JIFFIES_PER_SECOND = 100

/** Runs a command on the servers' core and writes its output to a file, by default nowhere. */
export async function startPinned(
  launchOn: (port: number) => Launch | Promise<Launch>,
  pollMilliseconds?: number,
  output = '/dev/null',
): Promise<Running> {
  return startServer(async (port) => {
    const { command, environment = {} } = await launchOn(port)
    return { command: `exec ${PINNED}${command} >${output}`, environment, isSilent: true }
  }, pollMilliseconds)
}

/** @param pollMilliseconds interval at which the server is polled until it answers */
export async function start(
  runtime: BenchRuntime,
  module: string,
  setup: Setup,
  pollMilliseconds?: number,
): Promise<Running> {
  const launchOn = async (port: number): Promise<Launch> => {
    const { signingKeys: SIGNING_KEYS, settings: more } = setup
    const settings = { ISSUER: `http://localhost:${port}`, SIGNING_KEYS, ...more }
    const environment = { ...settings, PORT: `${port}`, STORE_URL: `sqlite:${setup.database}` }
    const isServer = module === SERVER
    const command = {
      node: async () => `node ${isServer ? '' : 'bench/on_node.ts '}${module}`,
      bun: async () => `bun run ${module}`,
      deno: async () => `deno ${isServer ? 'run' : `serve --port ${port}`} --allow-all ${module}`,
      workerd: async () => `workerd serve ${await workerdConfig(module, port, isServer ? settings : {}, setup)} config`,
    }[runtime]()
    return { command: await command, environment: runtime === 'workerd' ? {} : environment }
  }
  return startPinned(launchOn, pollMilliseconds, setup.log)
}

/** Returns the CPU seconds of a process so far and its peak memory in MiB, from /proc of Linux. */
export function usage({ pid }: Running): { cpu: number; memory: number } {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = after.split(' ').map(Number)
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { cpu: ((fields[11] ?? 0) + (fields[12] ?? 0)) / JIFFIES_PER_SECOND, memory: Number(kilobytes) / 1024 }
}
