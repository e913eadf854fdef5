/**
 * Prints how many bytes a server holds after requests with bodies of 60 KiB, of which it keeps small parts: unknown client ids, or
 * the scopes of reused tokens. `node --expose-gc test/support/held_memory.ts ids|scopes`
 */

import process from 'node:process'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { createWorld, ISSUER } from './world.ts'

declare const gc: () => void

const REQUESTS = 1500
const PADDING = 'x'.repeat(60_000)

const { app, registry, events } = await createWorld({ tokenReuseSeconds: 300 })
const client = JSON.parse((await registry.get(clientKey('test-client'))) ?? '')
await registry.put(clientKey('any'), clientRecord({ ...client, client_id: 'any', scope: '*' }))

async function send(index: number): Promise<number> {
  const isById = process.argv[2] === 'ids'
  const client_id = isById ? `an-unknown-client-number-${index}` : 'any'
  const form = {
    client_id,
    client_secret: 'foobar',
    grant_type: 'client_credentials',
    scope: `a-scope-with-number-${index}`,
  }
  const body = new URLSearchParams({ ...form, padding: PADDING })
  const { status } = await app.request(`${ISSUER}/token`, { method: 'POST', body })
  events.length = 0
  return status
}

await send(REQUESTS)
gc()
const before = process.memoryUsage().heapUsed
const statuses = new Set<number>()
for (let index = 0; index < REQUESTS; index++) statuses.add(await send(index))
gc()
console.log(JSON.stringify({ statuses: [...statuses], bytes: process.memoryUsage().heapUsed - before }))
