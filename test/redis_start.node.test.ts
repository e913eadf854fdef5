import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { freePort, type Running, startServer } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const COMMANDS = ['node', 'bun', 'deno run --allow-all'] as const

/** Twice what docs/stores.md promises. */
const READY_MILLISECONDS = 20_000

async function statusOf({ origin }: Running, path: string): Promise<number> {
  const response = await fetch(origin + path)
  await response.body?.cancel()
  return response.status
}

async function whenReady(server: Running): Promise<void> {
  const deadline = Date.now() + READY_MILLISECONDS
  while ((await statusOf(server, '/readyz')) !== 200) {
    assert.ok(Date.now() < deadline, 'the server does not become ready')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

describe('a server whose Redis starts after it', () => {
  for (const command of COMMANDS) {
    test(`${command}: is not ready before, becomes ready by itself, and issues a token`, async () => {
      const redisPort = await freePort()
      const server = await startServer((port) => ({
        command: `${command} src/cli/edgemint.ts serve --dev --port ${port}`,
        environment: { STORE_URL: `redis://127.0.0.1:${redisPort}` },
      }))
      try {
        assert.equal(await statusOf(server, '/readyz'), 503)
        assert.equal(await statusOf(server, '/livez'), 200)
        const redis = await startRedis(redisPort)
        if (redis === undefined) return
        try {
          await whenReady(server)
          const form = { grant_type: 'client_credentials', client_id: 'test-client', client_secret: 'foobar' }
          const { status } = await fetch(`${server.origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
          assert.equal(status, 200)
        } finally {
          redis.stop()
        }
      } finally {
        await server.stop()
      }
    })
  }
})
