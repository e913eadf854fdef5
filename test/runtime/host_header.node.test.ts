import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from '#test'
import { startServer } from '../support/process.ts'

const RUNTIMES: Readonly<Record<string, string>> = {
  deno: 'exec deno run --allow-all src/index.ts',
  bun: 'exec bun run src/index.ts',
  node: 'exec node src/index.ts',
}

/** Returns the status of a GET with these header fields, which `fetch` cannot send. */
async function statusOf(port: number, path: string, fields: readonly string[]): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.end([`GET ${path} HTTP/1.1`, ...fields, 'Connection: close', '', ''].join('\r\n'))
  return Number((await text(socket)).split(' ')[1])
}

const JWKS = '/.well-known/jwks.json'

for (const [name, command] of Object.entries(RUNTIMES)) {
  describe(`${name}: a request without exactly one valid Host`, () => {
    test('is refused, and its Host never changes the path', async () => {
      const server = await startServer((port) => ({
        command,
        environment: { PORT: `${port}`, DEV: 'true', STORE_URL: 'memory:' },
      }))
      const port = Number(new URL(server.origin).port)
      try {
        for (const host of [`localhost:${port}`, 'localhost', '127.0.0.1', '[::1]:80', 'LOCALHOST']) {
          assert.equal(await statusOf(port, JWKS, [`Host: ${host}`]), 200, host)
        }
        for (const host of [
          `localhost${JWKS}?`,
          `localhost${JWKS}#`,
          `localhost\\${JWKS}?`,
          'a@localhost',
          'a b',
          '',
        ]) {
          assert.equal(await statusOf(port, '/harmless', [`Host: ${host}`]), 400, host)
          assert.equal(await statusOf(port, `/harmless${JWKS}`, [`Host: ${host}`]), 400, host)
        }
        for (const second of ['localhost', 'b.example']) {
          assert.equal(await statusOf(port, JWKS, ['Host: localhost', `HOST: ${second}`]), 400, second)
        }
      } finally {
        await server.stop()
      }
    })
  })
}
