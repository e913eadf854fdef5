import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { after } from 'node:test'
import { createClient } from '@redis/client'
import { describe, test } from '#test'
import type { Stores } from '../../src/stores/contracts.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { redisStores } from '../../src/stores/redis.ts'
import { freePort } from '../support/process.ts'
import { startRedis } from '../support/redis.ts'
import { NOW } from '../support/world.ts'
import { freshnessContract } from './freshness_contract.ts'
import { ledgerContract } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

const server = await startRedis()
const opened: { close(): Promise<unknown> }[] = []

if (server !== undefined) {
  const openAt = (url: string, now: () => number = () => NOW): Stores => {
    const stores = redisStores(url, now)
    opened.push(stores)
    return stores
  }
  const open = (now: () => number): Stores => openAt(server.url, now)
  const connectRaw = async () => {
    const raw = await createClient({ url: server.url }).connect()
    opened.push({ close: async () => raw.close() })
    return raw
  }

  describe('redisStores', () => {
    registryContract(() => open(() => NOW).registry)
    freshnessContract(() => open(() => NOW).registry)
    ledgerContract((now) => open(now).ledger)

    test('stores the keys of ARCHITECTURE.md, and each mark for five minutes after its expiry', async () => {
      const { registry, ledger } = open(() => NOW)
      const raw = await connectRaw()
      const timeToLive = async (key: string) => Math.ceil((await raw.pTTL(`edgemint:ledger:${key}`)) / 10_000) * 10
      await registry.put('client:kept', '{"a":1}')
      assert.equal(await raw.get('edgemint:registry:client:kept'), '{"a":1}')
      assert.equal(await raw.pTTL('edgemint:registry:client:kept'), -1)
      assert.equal(await raw.zScore('edgemint:registry-keys', 'client:kept'), 0)
      await ledger.add('jti:kept', 'x', NOW + 60)
      assert.deepEqual(
        { ...(await raw.hGetAll('edgemint:ledger:jti:kept')) },
        { value: 'x', expires_at: `${NOW + 60}` },
      )
      assert.equal(await timeToLive('jti:kept'), 360)
      await ledger.count('count:kept', 100)
      assert.equal(await timeToLive('count:kept'), 400)
      await ledger.add('jti:late', 'x', NOW - 100)
      assert.equal(await timeToLive('jti:late'), 300)
    })

    test('an index contains levels until five minutes after their expiry, and no marks or counters', async () => {
      let now = NOW
      const { ledger } = open(() => now)
      const raw = await connectRaw()
      const indexes = await Promise.all(['revoked:', 'cut:'].map((each) => raw.del(`edgemint:ledger-index:${each}`)))
      assert.equal(indexes.length, 2)
      const indexed = () => raw.zRange('edgemint:ledger-index:revoked:', 0, -1)
      await ledger.add('jti:indexed', '', NOW + 10)
      await ledger.add('revoked:mark', '', NOW + 10)
      await ledger.raise('revoked:old', 1, NOW + 10)
      await ledger.count('revoked:counted', 10)
      assert.deepEqual(await indexed(), ['revoked:old'])
      assert.equal(await raw.exists('edgemint:ledger-index:cut:'), 0)
      for (const [after, expected] of [
        [310, ['revoked:old', 'revoked:after-310']],
        [311, ['revoked:after-310', 'revoked:after-311']],
      ] as const) {
        now = NOW + after
        await ledger.raise(`revoked:after-${after}`, 1, NOW + 9999)
        assert.deepEqual(await indexed(), expected)
      }
    })

    test('rejects the first call with the reason if there is no connection', async () => {
      const { registry, ledger } = openAt(`redis://127.0.0.1:${await freePort()}`)
      const isOutage = (error: unknown) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, /^no connection to Redis$/)
        assert.match(String((error.cause as Error).message), /ECONNREFUSED/)
        return true
      }
      await assert.rejects(registry.get('client:a'), isOutage)
      await assert.rejects(ledger.add('jti:a', '', NOW), isOutage)
    })

    test('rejects each call while the server is down, and recovers each time the server is started', async () => {
      const port = await freePort()
      const { registry } = guardStores(openAt(`redis://127.0.0.1:${port}`), 0.5)
      await assert.rejects(registry.get('client:a'))
      const late = await startRedis(port)
      await eventually(() => registry.put('client:a', '1'))
      late?.stop()
      await eventually(() => assert.rejects(registry.get('client:a')))
      const again = await startRedis(port)
      await eventually(async () => assert.equal(await registry.get('client:a'), undefined))
      again?.stop()
    })

    test('replaces a connection that goes silent', async () => {
      const target = Number(new URL(server.url).port)
      const silenced = new Set<Socket>()
      const proxy = createServer((socket) => {
        const upstream = connect(target, '127.0.0.1')
        socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
        upstream.on('error', () => socket.destroy())
        socket.on('data', (data) => silenced.has(socket) || upstream.write(data))
        upstream.on('data', (data) => silenced.has(socket) || socket.write(data))
        sockets.push(socket)
      })
      const sockets: Socket[] = []
      proxy.unref()
      const port = await freePort()
      await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
      const { registry } = openAt(`redis://127.0.0.1:${port}`)
      await registry.put('client:silent', '1')
      for (const socket of sockets) silenced.add(socket)
      await assert.rejects(registry.get('client:silent'), /did not answer/)
      await eventually(async () => assert.equal(await registry.get('client:silent'), '1'))
      assert.equal(sockets.length, 2)
    })

    after(async () => {
      for (const each of opened) await each.close()
      server.stop()
    })
  })
}

/** Retries until the assertion holds, or the time limit of the test ends it. */
async function eventually(check: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await check()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
