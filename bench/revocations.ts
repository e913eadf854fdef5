/**
 * The effect of 100,000 live revocations on introspection: median times without and with them, in SQLite, in Redis (if it is
 * installed) and in memory, and whether their storage is freed after they expire.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Ledger, Stores } from '../src/stores/contracts.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { redisStores } from '../src/stores/redis.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { revocations } from '../src/tokens/revocations.ts'
import { startRedis } from '../test/support/redis.ts'
import { createWorld, ISSUER } from '../test/support/world.ts'
import { exitOnSignals } from './child.ts'

const REVOCATIONS = 100_000
const ROUNDS = 3000
const state = { now: Math.floor(Date.now() / 1000) }
const now = () => state.now

/** Returns the median milliseconds of an introspection through the whole provider. */
async function median(ledger: Ledger): Promise<number> {
  const { app } = await createWorld({ ledger, now })
  const form = { client_id: 'test-client', client_secret: 'foobar' }
  const post = async (path: string, more: Record<string, string>) =>
    (await app.request(ISSUER + path, { method: 'POST', body: new URLSearchParams({ ...form, ...more }) })).json()
  const { access_token: token } = (await post('/token', { grant_type: 'client_credentials' })) as {
    access_token: string
  }
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    await post('/introspect', { token })
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[ROUNDS / 2] ?? 0
}

exitOnSignals()
const folder = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
console.log('Introspection with no revocation and with 100,000, in memory, in SQLite and in Redis: about a minute')
const redis = await startRedis()
const backends: readonly (readonly [string, () => Stores])[] = [
  ['memory', () => memoryStores(now, 200_000)],
  ['sqlite', () => sqliteStores(join(folder, 'edgemint.db'), now)],
  ...(redis === undefined ? [] : [['redis', () => redisStores(redis.url, now)] as const]),
]
for (const [name, open] of backends) {
  const { ledger, close } = open()
  const denied = revocations(ledger, { lifetimeSeconds: 1800, staleSeconds: 0 })
  await median(ledger)
  const without = await median(ledger)
  const exp = now() + 600
  for (let index = 0; index < REVOCATIONS; index += 500) {
    const some = Array.from({ length: 500 }, (_, each) =>
      denied.revoke({
        jti: `many-${index + each}`,
        exp,
        client_id: `client-${index}`,
        parties: [`client-${index}`],
        iat: now(),
      }),
    )
    await Promise.all(some)
  }
  const withAll = await median(ledger)
  const ratio = (withAll / without).toFixed(2)
  console.log(
    `${name}: ${without.toFixed(3)} ms with none, ${withAll.toFixed(3)} ms with ${REVOCATIONS}, ratio ${ratio}`,
  )
  state.now += 700
  let left = 0
  for await (const page of ledger.list('revoked')) left += page.length
  console.log(`${name}: ${left} left after their expiry`)
  await close()
}
redis?.stop()
