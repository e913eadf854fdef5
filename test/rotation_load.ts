/**
 * `npm run test:rotation -- --minutes 10`: keys rotate every minute under load, on each runtime, in fleets of four processes on
 * SQLite and on Redis, and in the Worker under plain workerd. Not part of `npm test`.
 *
 *     npm run test:rotation -- --minutes 2 --period 20 workerd
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { openSqlite } from '../src/runtime/open_sqlite.ts'
import { redisStores } from '../src/stores/redis.ts'
import { startKv } from './support/kv_model.ts'
import { startServer } from './support/process.ts'
import { startRedis } from './support/redis.ts'
import { CLIENT, loadAndVerify, requireOnePerPeriod, settingsOf, startsIn } from './support/rotating.ts'
import { bundleWorker, serveWorker } from './support/workerd.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, period: { type: 'string', default: '60' } },
})
const [seconds, period] = [Number(values.minutes) * 60, Number(values.period)]

interface Fleet {
  readonly origins: readonly string[]
  outputs(): readonly string[]
  stop(): Promise<void>
}

const COMMANDS = {
  node: 'exec node src/index.ts',
  bun: 'exec bun run src/index.ts',
  deno: 'exec deno run --allow-all --unstable-kv src/index.ts',
} as const

async function startFleet(url: string, commands: readonly string[], end: () => void = () => undefined): Promise<Fleet> {
  const stores = await (url.startsWith('redis') ? redisStores(url) : openSqlite(url))
  await stores.registry.put(CLIENT.key, CLIENT.record)
  await stores.close()
  const servers = await Promise.all(
    commands.map((command) =>
      startServer((port) => ({
        command,
        environment: { ...settingsOf(period), PORT: `${port}`, STORE_URL: url },
      })),
    ),
  )
  return {
    origins: servers.map(({ origin }) => origin),
    outputs: () => servers.map(({ output }) => output()),
    async stop() {
      for (const server of servers) await server.stop()
      end()
    },
  }
}

async function startWorker(): Promise<Fleet> {
  const kv = await startKv()
  kv.values.set(CLIENT.key, CLIENT.record)
  const clock = setInterval(() => {
    kv.now += 1
  }, 1000)
  const { origins, output, stop } = await serveWorker(bundleWorker(), settingsOf(period), kv.port)
  return {
    origins,
    outputs: () => [output()],
    async stop() {
      clearInterval(clock)
      await stop()
      kv.close()
    },
  }
}

const file = (): string => `sqlite:${join(mkdtempSync(join(tmpdir(), 'edgemint-')), 'edgemint.db')}`
const { node, bun, deno } = COMMANDS

const FLEETS: Readonly<Record<string, () => Promise<Fleet>>> = {
  node: () => startFleet(file(), [node]),
  bun: () => startFleet(file(), [bun]),
  deno: () => startFleet(file(), [deno]),
  workerd: startWorker,
  'fleet-sqlite': () => startFleet(file(), [node, node, bun, deno]),
  async 'fleet-redis'() {
    const redis = await startRedis()
    if (redis === undefined) throw new Error('there is no redis-server')
    return startFleet(redis.url, [node, node, bun, deno], redis.stop)
  },
}

/** Returns whether every token was verified, and one key was made for each period. */
async function prove(name: string, start: () => Promise<Fleet>): Promise<boolean> {
  const fleet = await start()
  try {
    const { tokens, failures, kids } = await loadAndVerify(fleet.origins, seconds, period, 100)
    const starts = startsIn(fleet.outputs())
    const line = `${tokens} tokens by ${kids.size} keys, ${failures.length} failures, ${starts.length} keys made`
    console.log(`${name}: ${seconds} s, period ${period} s: ${line}`)
    for (const failure of failures.slice(0, 5)) console.log(`  ${failure}`)
    requireOnePerPeriod(starts, period, Math.floor(Date.now() / 1000))
    return failures.length === 0
  } finally {
    await fleet.stop()
  }
}

const chosen = Object.entries(FLEETS).filter(([name]) => positionals.length === 0 || positionals.includes(name))
const results = await Promise.all(chosen.map(([name, start]) => prove(name, start)))
process.exitCode = results.length > 0 && results.every(Boolean) ? 0 : 1
