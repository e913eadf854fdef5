/**
 * A process of a fleet: opens the stores of a URL, does what each line of its input says, and answers with a line.
 * Lines are JSON lists: ["add", key], ["put", key, value], ["get", key], ["put-on", prefix] to put until it is killed.
 */

import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Stores } from '../../src/stores/contracts.ts'

const now = (): number => Math.floor(Date.now() / 1000)

async function open(url: string): Promise<Stores> {
  if (url.startsWith('redis:')) return (await import('../../src/stores/redis.ts')).redisStores(url, now)
  if (url.startsWith('sqlite:')) return (await import('../../src/stores/sqlite.ts')).sqliteStores(url.slice(7), now)
  const { denoKvStores } = await import('../../src/stores/deno_kv.ts')
  const { Deno } = globalThis as unknown as { Deno: { openKv: Parameters<typeof denoKvStores>[0] } }
  return denoKvStores(() => (Deno.openKv as (path: string) => ReturnType<typeof Deno.openKv>)(url.slice(7)), now)
}

const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)
const { registry, ledger } = await open(process.argv[2] ?? '')

const does: Readonly<Record<string, (key: string, value: string) => Promise<unknown>>> = {
  add: (key) => ledger.add(key, `${process.pid}`, now() + 60),
  get: async (key) => (await registry.get(key)) ?? null,
  put: async (key, value) => {
    await registry.put(key, value)
    return true
  },
  async 'put-on'(prefix) {
    for (let index = 0; ; index++) {
      const key = `${prefix}:${index}`
      await registry.put(key, JSON.stringify(key))
      await ledger.add(key, key, now() + 600)
      say(key)
    }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', key = '', value = ''] = JSON.parse(line) as string[]
  say(await does[name]?.(key, value))
}
process.exit()
