/**
 * `npm run bench:lookup`: the median time to find one client among 1,000 and among 1,000,000, in SQLite and in Redis (if
 * `redis-server` is installed), both with the bare `get` of the store and with the server's look-up, which parses and validates the
 * record. The two sizes alternate, so that noise affects both equally; the result is the ratio.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { CLIENTS, clientKey, clientRecord } from '../src/clients/registry.ts'
import { readRecords } from '../src/records/records.ts'
import type { Registry, Stores } from '../src/stores/contracts.ts'
import { redisStores } from '../src/stores/redis.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { startRedis } from '../test/support/redis.ts'
import { exitOnSignals } from './child.ts'
import { median } from './table.ts'

const SIZES = [1_000, 1_000_000] as const
const ROUNDS = 20_000
const BATCH = 500

const hash = '$2b$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO'
const idOf = (index: number): string => `client-${index.toString().padStart(7, '0')}`
const recordOf = (index: number): string =>
  clientRecord({
    client_id: idOf(index),
    client_secrets: [{ id: '1', hash }],
    grant_types: ['client_credentials'],
    scope: 'read write users.*',
  })

async function fillSqlite(path: string, size: number): Promise<Stores> {
  const stores = sqliteStores(path, Date.now)
  const database = new DatabaseSync(path)
  const insert = database.prepare('INSERT INTO registry VALUES (?, ?)')
  database.exec('BEGIN')
  for (let index = 0; index < size; index++) insert.run(clientKey(idOf(index)), recordOf(index))
  database.exec('COMMIT')
  database.close()
  return stores
}

async function fillRedis(url: string, size: number): Promise<Stores> {
  const stores = redisStores(url, Date.now)
  for (let from = 0; from < size; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, size - from) }, (_, index) => from + index)
    await Promise.all(batch.map((index) => stores.registry.put(clientKey(idOf(index)), recordOf(index))))
  }
  return stores
}

type Find = (client_id: string) => Promise<unknown>

const ways: readonly [name: string, find: (registry: Registry) => Find][] = [
  ['bare get', (registry) => (client_id) => registry.get(clientKey(client_id))],
  ['client', (registry) => readRecords(registry, CLIENTS)],
]

async function timeOne(find: Find, size: number): Promise<number> {
  const client_id = idOf(Math.floor(Math.random() * size))
  const start = performance.now()
  const found = await find(client_id)
  const microseconds = (performance.now() - start) * 1000
  if (found === undefined) throw new Error(`${client_id} is not there`)
  return microseconds
}

async function compare(name: string, fill: (size: number) => Promise<Stores>): Promise<void> {
  const stores: Stores[] = []
  for (const size of SIZES) stores.push(await fill(size))
  for (const [way, finder] of ways) {
    const finds = stores.map(({ registry }) => finder(registry))
    const times = SIZES.map((): number[] => [])
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, find] of finds.entries()) times[index]?.push(await timeOne(find, SIZES[index] ?? 0))
    }
    const [small = Number.NaN, large = Number.NaN] = times.map((each) => median(each, (microseconds) => microseconds))
    const medians = `${small.toFixed(1)} µs among 1,000, ${large.toFixed(1)} µs among 1,000,000`
    console.log(`${name}, ${way}: median ${medians}, ratio ${(large / small).toFixed(2)}`)
  }
  for (const each of stores) await each.close()
}

exitOnSignals()
const folder = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
console.log('One client among 1,000 and among 1,000,000, in SQLite and Redis (if installed): about a minute')
await compare('SQLite', (size) => fillSqlite(join(folder, `${size}.db`), size))
const redis = await startRedis()
if (redis !== undefined) {
  const { url } = redis
  await compare('Redis', (size) => fillRedis(`${url}/${SIZES.indexOf(size as (typeof SIZES)[number])}`, size))
  redis.stop()
}
