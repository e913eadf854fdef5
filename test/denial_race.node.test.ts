/**
 * Denials while others deny: a denied token is never active, and of two cuts at once the later one stands. The gate runs a short
 * race; `RACE_SECONDS=20 RACE_PAIRS=300 node --test test/denial_race.node.test.ts` a long one.
 */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { operate, startIssuer, startWorker } from './support/issuer.ts'
import type { Running } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const SECONDS = Number(process.env['RACE_SECONDS'] ?? 1)
const PAIRS = Number(process.env['RACE_PAIRS'] ?? 20)
const ASKERS = 6
const CLOCK_SKEW_SECONDS = 30
const BCRYPT_FOOBAR = '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const redis = await startRedis()
after(() => redis?.stop())
const PROCESSES = ['node src/index.ts', 'bun run src/index.ts']
const DENO_KV = ['deno run --unstable-kv --allow-all src/index.ts']

const ways: readonly (readonly [name: string, begin: () => Promise<Running[]>])[] = [
  ['memory', () => startIssuer(['node src/index.ts'], 'memory:')],
  ['SQLite', () => startIssuer(PROCESSES, `sqlite:${join(folder, 'edgemint.db')}`)],
  ['Deno KV', () => startIssuer(DENO_KV, `denokv:${join(folder, 'edgemint.kv')}`)],
  ['the Durable Object', startWorker],
  ...(redis === undefined ? [] : [['Redis', () => startIssuer(PROCESSES, redis.url)] as const]),
]

async function post({ origin }: Running, path: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ client_id: 'client', client_secret: 'foobar', ...form })
  const response = await fetch(origin + path, { method: 'POST', body })
  assert.equal(response.status, 200)
  return (await response.json()) as Record<string, unknown>
}

/** Introspects a denied token without pause while its client is cut again and again; returns how often it was active. */
async function countActive(servers: readonly Running[]): Promise<{ asked: number; active: number }> {
  const server = (index: number) => servers[index % servers.length] as Running
  const token = String((await post(server(0), '/token', { grant_type: 'client_credentials' }))['access_token'])
  assert.equal((await post(server(1), '/introspect', { token }))['active'], true)
  await operate(server(0), 'POST', '/revocations', { client_id: 'client' })
  const counts = { asked: 0, active: 0 }
  const end = Date.now() + SECONDS * 1000
  const ask = async (_: unknown, asker: number) => {
    while (Date.now() < end) {
      counts.asked++
      if ((await post(server(asker), '/introspect', { token }))['active'] === true) counts.active++
    }
  }
  const cut = async () => {
    for (let index = 0; Date.now() < end; index++)
      await operate(server(index), 'POST', '/revocations', { client_id: 'client' })
  }
  await Promise.all([...Array.from({ length: ASKERS }, ask), cut(), cut()])
  return counts
}

/** Cuts each of many clients twice at once; returns those of which the later cut is not in the list. */
async function findLost(servers: readonly Running[]): Promise<readonly string[]> {
  const [first, last] = [servers[0] as Running, servers.at(-1) as Running]
  const now = Math.floor(Date.now() / 1000)
  const ids = Array.from({ length: PAIRS }, (_, index) => `pair-${index}`)
  for (const client_id of ids) {
    await Promise.all([
      operate(first, 'POST', '/revocations', { client_id, before: now - 500 }),
      operate(last, 'POST', '/revocations', { client_id, before: now - 10 }),
    ])
  }
  const list = await (await fetch(`${last.origin}/revocations`)).text()
  const { client_hashes } = decodeJwt(list) as { client_hashes?: Record<string, number> }
  const hashOf = (client_id: string) => createHash('sha256').update(client_id).digest('base64url')
  return ids.filter((client_id) => client_hashes?.[hashOf(client_id)] !== now - 10 + CLOCK_SKEW_SECONDS)
}

describe('a denial that others race with', () => {
  for (const [name, begin] of ways) {
    test(name, async (t) => {
      const servers = await begin()
      try {
        const client = { client_secrets: [{ id: '1', hash: BCRYPT_FOOBAR }], introspection: true }
        await operate(servers[0] as Running, 'PUT', '/register/client', client)
        const lost = await findLost(servers)
        const { asked, active } = await countActive(servers)
        t.diagnostic(`${PAIRS} pairs of cuts, ${lost.length} lost; ${asked} introspections, ${active} active`)
        assert.deepEqual([lost, active], [[], 0])
        assert.ok(asked > ASKERS)
      } finally {
        for (const server of servers) await server.stop()
      }
    })
  }
})
