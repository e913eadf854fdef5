import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { answers, freePort, type Running, startServer } from './support/process.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const howTo = () => ({
  method: 'POST',
  body: new URLSearchParams('grant_type=client_credentials&client_id=test-client&client_secret=foobar'),
})

/** Where this machine is reached from others, if it is. */
const otherAddresses = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(({ address }) => address)

const bareFile = join(folder, 'bare.vars')
writeFileSync(bareFile, '')
const wrangler = (port: number) => `--port ${port} --persist-to ${folder}`

/** How each runtime is started: through its script, and bare, without a setting. */
const ways: readonly [name: string, dev: (port: number) => string, bare: (port: number) => string][] = [
  [
    'workerd',
    // It says itself who is connected, so it may listen on every address.
    (port) => `npm run dev -- --ip 0.0.0.0 ${wrangler(port)}`,
    (port) => `npx wrangler dev ${wrangler(port)} --env-file ${bareFile}`,
  ],
  ['deno run', () => 'npm run dev:deno', () => 'deno run --allow-all src/index.ts'],
  [
    'deno serve',
    (port) => `deno serve --allow-all --env-file=.dev.vars --port ${port} src/index.ts`,
    (port) => `deno serve --allow-all --port ${port} src/index.ts`,
  ],
  ['bun', () => 'npm run dev:bun', () => 'bun run src/index.ts'],
  ['node', () => 'npm run dev:node', () => 'node src/index.ts'],
]

async function serving(
  command: (port: number) => string,
  environment: Record<string, string>,
  use: (server: Running, port: number) => Promise<void>,
) {
  const server = await startServer((port) => ({
    command: command(port),
    environment: { PORT: `${port}`, ...environment },
  }))
  try {
    await use(server, Number(new URL(server.origin).port))
  } catch (error) {
    throw new Error(`the server printed:\n${server.output()}`, { cause: error })
  } finally {
    await server.stop()
  }
}

async function verify(origin: string, response: Response, issuer: string): Promise<void> {
  assert.equal(response.status, 200)
  const body = (await response.json()) as Record<string, unknown>
  assert.equal(typeof body['access_token'], 'string')
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(String(body['access_token']), keys, { issuer, audience: issuer, typ: 'at+jwt' })
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 1800)
}

/** `fetch` does not let a caller name another host. */
function statusForHost(port: number, host: string, address = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { method, body } = howTo()
    const headers = { Host: host, 'Content-Type': 'application/x-www-form-urlencoded' }
    request({ host: address, port, path: '/token', method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end(body.toString())
  })
}

/** The `Content-Length` as it was sent; `fetch` may ask for a compressed body, which has another one. */
function lengthOf(method: string, port: number, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers: { Accept: 'text/html' } }, (answer) => {
      let octets = 0
      answer.on('data', (chunk: Uint8Array) => {
        octets += chunk.length
      })
      answer.on('end', () => resolve(method === 'GET' ? String(octets) : answer.headers['content-length']))
    })
      .on('error', reject)
      .end()
  })
}

for (const [name, dev, bare] of ways) {
  describe(`${name}, as a process`, () => {
    test('development: the line it prints gives a token that the JWKS verifies', async () => {
      await serving(dev, {}, async (server, port) => {
        const [, curl = ''] = /, try(?: .*)?: (curl .*)/.exec(server.output()) ?? []
        const { stdout } = await run('sh', ['-c', curl.replace('localhost:8080', `localhost:${port}`)])
        await verify(server.origin, new Response(stdout), server.origin)
        assert.equal((await fetch(`${server.origin}/token`)).status, 405)
        for (const path of ['/', '/livez', '/readyz', '/authorize']) {
          const lengths = [await lengthOf('HEAD', port, path), await lengthOf('GET', port, path)]
          // A server may also leave it out, RFC 9110 §8.6.
          assert.ok(lengths[0] === undefined || lengths[0] === lengths[1], `${path}: ${lengths}`)
        }
        if (name !== 'workerd') assert.ok(server.output().includes(`edgemint: listening on http://localhost:${port}\n`))
      })
    })

    test('development: no other host than this one', async () => {
      await serving(dev, {}, async (_server, port) => {
        assert.equal(await statusForHost(port, `localhost:${port}`), 200)
        assert.equal(await statusForHost(port, 'tokens.example'), 503)
        for (const address of otherAddresses) {
          const status = await statusForHost(port, 'localhost', address).catch(() => undefined)
          assert.ok(status === undefined || status === 503, `${address} answers ${status}`)
        }
      })
    })

    test('without settings: 503, the console says what is missing, foobar does not work', async () => {
      await serving(bare, {}, async (server) => {
        const response = await fetch(`${server.origin}/token`, howTo())
        assert.equal(response.status, 503)
        assert.equal(response.headers.get('Retry-After'), '5')
        assert.equal(((await response.json()) as { error: string }).error, 'temporarily_unavailable')
        assert.match(server.output(), /edgemint: ISSUER is missing\. Set it: .*https:\/\/tokens\.example\.com/)
        assert.match(server.output(), /edgemint: SIGNING_KEYS is missing\. Set it: openssl genpkey/)
      })
    })
  })
}

describe('deno serve', () => {
  for (const threads of ['', '--parallel']) {
    test(`binds its own port only ${threads}`, async () => {
      const other = await freePort()
      const command = (port: number) =>
        `deno serve --allow-all ${threads} --env-file=.dev.vars --port ${port} src/index.ts`
      await serving(command, { PORT: `${other}` }, async (server) => {
        await new Promise((resolve) => setTimeout(resolve, 1000))
        assert.ok(!(await answers(`http://localhost:${other}`)))
        assert.ok(!server.output().includes('AddrInUse'))
      })
    })
  }
})
