/** Redirects of real servers, because only the platform's `fetch` follows any. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from '#test'
import { clientSecret, tokenClient } from '../../src/client.ts'

async function serve(answer: RequestListener): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

describe('a client whose server or API redirects', () => {
  test('sends neither its secret nor its token elsewhere', async () => {
    const reached: (string | undefined)[] = []
    const elsewhere = await serve(({ url }, response) => {
      reached.push(url)
      response.end()
    })
    const token = JSON.stringify({ access_token: 'a', token_type: 'Bearer', expires_in: 60 })
    const { url, stop } = await serve((request, response) => {
      if (request.url === '/token') return response.end(token)
      return response.writeHead(Number(request.url?.slice(1)), { Location: `${elsewhere.url}${request.url}` }).end()
    })
    const options = { issuer: url, clientId: 'a', credentials: clientSecret('b'), resource: url }
    const client = tokenClient(options)
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        const response = await client.fetch(`${url}/${status}`, { method: 'POST', body: 'c', redirect: 'follow' })
        assert.equal(response.status, status)
        const misled = tokenClient({ ...options, tokenEndpoint: `${url}/${status}` })
        await assert.rejects(misled.token(), { name: 'TokenError', status })
      }
    } finally {
      stop()
      elsewhere.stop()
    }
    assert.deepEqual(reached, [])
  })
})
