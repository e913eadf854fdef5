/** A platform token that may be used once, presented to several servers of one issuer at the same time. */

import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { describe, test } from '#test'
import { makePair, signToken } from './support/federation.ts'
import { operate, startIssuer, startWorker } from './support/issuer.ts'
import type { Running } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const USES = 1000
const AT_ONCE = 50
const CLUSTER = 'https://kubernetes.default.svc.cluster.local'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const redis = await startRedis()
after(() => redis?.stop())
const PROCESSES = ['node src/index.ts', 'bun run src/index.ts', 'deno run --unstable-kv --allow-all src/index.ts']

const ways: readonly (readonly [name: string, begin: () => Promise<Running[]>])[] = [
  ['SQLite', () => startIssuer(PROCESSES.slice(0, 2), `sqlite:${join(folder, 'edgemint.db')}`)],
  ['the Durable Object', startWorker],
  ...(redis === undefined ? [] : [['Redis', () => startIssuer(PROCESSES, redis.url)] as const]),
]

const pair = await makePair('ES256', 'cluster')

function sign(issuer: string, claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const sub = 'system:serviceaccount:prod:deployer'
  const all = { iss: CLUSTER, sub, aud: [issuer], iat: now, exp: now + 600, jti: crypto.randomUUID(), ...claims }
  return signToken({ alg: 'ES256', kid: 'cluster' }, all, pair.privateKey)
}

async function ask({ origin }: Running, client_assertion: string): Promise<number> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'deployer',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
  })
  const response = await fetch(`${origin}/token`, { method: 'POST', body })
  await response.arrayBuffer()
  return response.status
}

for (const [name, begin] of ways) {
  describe(`servers that share ${name}`, () => {
    test(`of ${USES} uses of a token that is good once, one gets an access token`, async () => {
      const servers = await begin()
      const [first] = servers
      assert.ok(first !== undefined)
      try {
        const keys = { jwks: { keys: [pair.publicJwk] }, preset: 'kubernetes', single_use: true }
        await operate(first, 'PUT', `/issuers/${encodeURIComponent(CLUSTER)}`, keys)
        await operate(first, 'PUT', '/register/deployer', { token_endpoint_auth_method: 'federated_jwt' })
        const claims = { sub: 'system:serviceaccount:prod:deployer' }
        await operate(first, 'POST', '/register/deployer/federated_credentials', { issuer: CLUSTER, claims })
        assert.equal(await ask(first, await sign(first.origin, { aud: 'https://evil.example' })), 401)
        const jws = await sign(first.origin)
        const statuses: number[] = []
        const use = async (_: unknown, user: number): Promise<void> => {
          for (let index = user; index < USES; index += AT_ONCE) {
            statuses.push(await ask(servers[index % servers.length] ?? first, jws))
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, use))
        assert.deepEqual(
          [200, 401].map((status) => statuses.filter((each) => each === status).length),
          [1, USES - 1],
        )
        for (const server of servers) assert.equal(await ask(server, await sign(first.origin)), 200)
      } finally {
        for (const server of servers) await server.stop()
      }
    })
  })
}
