import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { after } from 'node:test'
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
const opened: Stores[] = []

if (server !== undefined) {
  const open = (now: () => number): Stores => {
    const stores = redisStores(server.url, now)
    opened.push(stores)
    return stores
  }

  describe('redisStores', () => {
    registryContract(() => open(() => NOW).registry)
    freshnessContract(() => open(() => NOW).registry)
    ledgerContract((now) => open(now).ledger)

    test('a server that is not there fails each call; once it is there, and there again, calls succeed', async () => {
      const port = await freePort()
      const stores = redisStores(`redis://127.0.0.1:${port}`, () => NOW)
      const { registry } = guardStores(stores, 0.5)
      await assert.rejects(registry.get('client:a'))
      const late = await startRedis(port)
      await eventually(() => registry.put('client:a', '1'))
      late?.stop()
      await eventually(() => assert.rejects(registry.get('client:a')))
      const again = await startRedis(port)
      await eventually(async () => assert.equal(await registry.get('client:a'), undefined))
      await stores.close()
      again?.stop()
    })

    test('a connection that goes silent is left for a new one', async () => {
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
      const port = await freePort()
      await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
      const { registry, close } = redisStores(`redis://127.0.0.1:${port}`, () => NOW)
      await registry.put('client:silent', '1')
      for (const socket of sockets) silenced.add(socket)
      await assert.rejects(registry.get('client:silent'), /no answer/)
      await eventually(async () => assert.equal(await registry.get('client:silent'), '1'))
      assert.equal(sockets.length, 2)
      await close()
      proxy.close()
    })

    after(async () => {
      for (const stores of opened) await stores.close()
      server.stop()
    })
  })
}

/** Tries again until it holds; the test's own time limit ends what never does. */
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
