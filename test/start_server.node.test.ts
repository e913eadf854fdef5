/** The tests' own way to start a server: an answer on its port from another process does not count. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { freePort, type Launch, startServer } from './support/process.ts'

const environment = { DEV: 'true', STORE_URL: 'memory:' }
const ways: readonly (readonly [name: string, launchOn: (port: number) => Launch])[] = [
  ...['node src/index.ts', 'bun run src/index.ts', 'deno run --allow-all src/index.ts'].map(
    (command) => [command, (port: number) => ({ command, environment: { ...environment, PORT: `${port}` } })] as const,
  ),
  ['deno serve', (port) => ({ command: `deno serve --allow-all --port ${port} src/index.ts`, environment })],
  ['wrangler dev', (port) => ({ command: `npx wrangler dev --port ${port}` })],
]

describe('a port that another process answers on', () => {
  let other: Server
  let taken = 0
  before(async () => {
    taken = await freePort()
    other = createServer((_, response) => response.writeHead(418).end())
    await once(other.listen(taken), 'listening')
  })
  after(() => {
    other.closeAllConnections()
    other.close()
  })

  for (const [name, launchOn] of ways) {
    test(`is left for another one: ${name}`, async () => {
      const tried: number[] = []
      const server = await startServer((port) => {
        tried.push(port)
        return launchOn(tried.length === 1 ? taken : port)
      })
      try {
        assert.equal(tried.length, 2)
        assert.equal(server.origin, `http://localhost:${tried[1]}`)
        assert.equal((await fetch(`${server.origin}/.well-known/jwks.json`)).status, 200)
      } finally {
        await server.stop()
      }
    })
  }

  test('is not the server that was started', async () => {
    await assert.rejects(
      startServer((port) => {
        const answer = `require("http").createServer((_, response) => response.end()).listen(${port})`
        return { command: `node -e '${answer}' & sleep 1; kill $!; echo unable to start` }
      }),
      /does not answer on port \d+:\nunable to start/,
    )
  })
})

test('a free port is given once', async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, freePort))
  assert.equal(new Set(ports).size, 200)
})
