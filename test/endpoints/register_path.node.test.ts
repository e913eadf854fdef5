import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, test } from '#test'
import { startOperated, TOKEN } from '../support/operated_server.ts'

/** Sends a path as it is; `fetch` would normalize it. */
async function send(origin: string, method: string, path: string): Promise<IncomingMessage> {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
  const sent = request(origin, { method, path, headers, agent: false })
  sent.end(method === 'PUT' ? '{}' : undefined)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}

describe('PUT /register/..', () => {
  for (const command of ['node', 'bun', 'deno run --allow-all'])
    test(`creates no client, on ${command}`, async (t) => {
      const server = await startOperated(`${command} src/index.ts`)
      t.after(() => server.stop())
      for (const id of ['..', '.', '%2e%2e', '%2E']) {
        const { statusCode = 0 } = await send(server.origin, 'PUT', `/register/${id}`)
        assert.ok([404, 405].includes(statusCode), `${id}: ${statusCode}`)
      }
      const list = (await json(await send(server.origin, 'GET', '/register'))) as { clients: unknown }
      assert.deepEqual(list.clients, [])
    })
})
