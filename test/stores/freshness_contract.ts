/** How long a disabled client still gets tokens, through the whole server and a real registry. */

import assert from 'node:assert/strict'
import { test } from '#test'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import type { Client } from '../../src/types.ts'
import { clients, createWorld, NOW } from '../support/world.ts'

const howTo = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar'

/** @param open returns a registry whose writes are seen by its next read */
export function freshnessContract(open: () => Registry): void {
  const cases: readonly [name: string, change: (client: Client) => Client | undefined][] = [
    ['disabled client', (client) => ({ ...client, disabled: true })],
    ['deleted client', () => undefined],
    ['revoked secret', (client) => ({ ...client, client_secrets: [] })],
  ]
  for (const [name, change] of cases) {
    test(`a ${name} works for the 30 seconds of the cache, and not one second longer`, async () => {
      let now = NOW
      const registry = open()
      const [client] = await clients()
      assert.ok(client !== undefined)
      const key = clientKey(client.client_id)
      await registry.put(key, clientRecord(client))
      const { app } = await createWorld({ registry, now: () => now, cacheSeconds: 30 })
      const status = async () =>
        (await app.request('/token', { method: 'POST', body: new URLSearchParams(howTo) })).status
      assert.equal(await status(), 200)
      const changed = change(client)
      await (changed === undefined ? registry.delete(key) : registry.put(key, clientRecord(changed)))
      now = NOW + 29
      assert.equal(await status(), 200)
      now = NOW + 30
      assert.equal(await status(), 401)
    })
  }
}
