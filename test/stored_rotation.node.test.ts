/** Stored keys rotate in real servers: short periods in the gate, minutes in `npm run test:rotation`. */

import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from '#test'
import { keySetKey } from '../src/keys/stored_set.ts'
import { openSqlite } from '../src/runtime/open_sqlite.ts'
import { findLeaks } from './support/key_leaks.ts'
import { startKv } from './support/kv_model.ts'
import { startServer } from './support/process.ts'
import {
  CLIENT,
  fetchJwks,
  ISSUER,
  KEKS,
  loadAndVerify,
  requestToken,
  requireOnePerPeriod,
  settingsOf,
  startsIn,
} from './support/rotating.ts'
import { bundleWorker, serveWorker } from './support/workerd.ts'

const PERIOD = 6
const SECONDS = 20
const nowSeconds = (): number => Math.floor(Date.now() / 1000)

async function newStore(): Promise<{ folder: string; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  const url = `sqlite:${join(folder, 'edgemint.db')}`
  const { registry, close } = await openSqlite(url)
  await registry.put(CLIENT.key, CLIENT.record)
  await close()
  return { folder, url }
}

const COMMANDS = [
  'exec node src/index.ts',
  'exec node src/index.ts',
  'exec bun run src/index.ts',
  'exec deno run --allow-all src/index.ts',
]

describe('stored keys', () => {
  test('rotate in a fleet of four processes on SQLite: no token fails, one key a period, no private key in the file', async () => {
    const { folder, url } = await newStore()
    const servers = await Promise.all(
      COMMANDS.map((command) =>
        startServer((port) => ({
          command,
          environment: { ...settingsOf(PERIOD), PORT: `${port}`, STORE_URL: url },
        })),
      ),
    )
    try {
      const proof = await loadAndVerify(
        servers.map(({ origin }) => origin),
        SECONDS,
        PERIOD,
      )
      assert.deepEqual(proof.failures, [])
      assert.ok(proof.kids.size >= 3, `${proof.kids.size} keys signed`)
      requireOnePerPeriod(startsIn(servers.map(({ output }) => output())), PERIOD, nowSeconds())
      console.log(`${proof.tokens} tokens of ${proof.kids.size} keys, all verified`)
    } finally {
      for (const server of servers) await server.stop()
    }
    const { registry, close } = await openSqlite(url)
    const record = (await registry.get(keySetKey(ISSUER))) ?? ''
    await close()
    const dump = Buffer.concat(globSync(join(folder, '*')).map((file) => readFileSync(file)))
    assert.deepEqual(await findLeaks(dump, record, ISSUER, KEKS), [])
  })

  test('rotate on plain workerd, in a Durable Object: no token fails, no private key in KV or in the object', async () => {
    const kv = await startKv()
    kv.values.set(CLIENT.key, CLIENT.record)
    const folder = bundleWorker()
    const { origin, output, stop } = await serveWorker(folder, settingsOf(PERIOD), kv.port)
    // The cache of KV is as much faster as the period is.
    const clock = setInterval(() => {
      kv.now += 60
    }, 1000)
    try {
      const proof = await loadAndVerify([origin], SECONDS, PERIOD)
      assert.deepEqual(proof.failures, [])
      assert.ok(proof.kids.size >= 3, `${proof.kids.size} keys signed`)
      requireOnePerPeriod(startsIn([output()]), PERIOD, nowSeconds())
      console.log(`workerd: ${proof.tokens} tokens of ${proof.kids.size} keys, all verified`)
      const before = startsIn([output()]).length
      await new Promise((resolve) => setTimeout(resolve, 1.5 * PERIOD * 1000))
      assert.ok(startsIn([output()]).length > before, 'the alarm rotates without requests')
    } finally {
      clearInterval(clock)
      await stop()
      kv.close()
    }
    const record = kv.values.get(keySetKey(ISSUER)) ?? ''
    const files = globSync(join(folder, 'storage/**/*'), { withFileTypes: true }).filter((entry) => entry.isFile())
    const objects = files.map((entry) => readFileSync(join(entry.parentPath, entry.name)))
    const dump = Buffer.concat([...objects, Buffer.from([...kv.values.values()].join('\n'))])
    assert.deepEqual(await findLeaks(dump, record, ISSUER, KEKS), [])
  })

  test('with a wrong key-encryption key a server says so, publishes the keys and makes none', async () => {
    const { url } = await newStore()
    const serve = (change: Record<string, string>) =>
      startServer((port) => ({
        command: 'exec node src/index.ts',
        environment: { ...settingsOf(60), PORT: `${port}`, STORE_URL: url, ...change },
      }))
    const right = await serve({})
    const token = await requestToken(right.origin)
    const { keys } = await fetchJwks(right.origin)
    await right.stop()
    const wrong = await serve({ KEY_ENCRYPTION_KEYS: `a:${Buffer.alloc(32, 8).toString('base64url')}` })
    try {
      await assert.rejects(requestToken(wrong.origin), /503/)
      assert.match(wrong.output(), /"reason":"signing_key_undecryptable"/)
      assert.match(wrong.output(), /"event":"key_undecryptable"/)
      assert.deepEqual((await fetchJwks(wrong.origin)).keys, keys)
      assert.deepEqual(startsIn([wrong.output()]), [])
      assert.ok(token)
    } finally {
      await wrong.stop()
    }
  })
})
