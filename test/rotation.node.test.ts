import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateKey } from '../src/keys/key_set.ts'
import { rotate } from '../src/keys/rotation.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { type Running, startServer } from './support/process.ts'

/** How long requests flow, and how long a token lives: short, so that a whole rotation fits. */
const SECONDS = Number(process.env['ROTATION_SECONDS'] ?? 10)
const LIFETIME_SECONDS = 2
const ISSUER = 'https://tokens.example'

const file = join(mkdtempSync(join(tmpdir(), 'edgemint-')), 'edgemint.db')
const secret = generateSecret()
const { registry, close } = sqliteStores(file, Date.now)
const client = {
  client_id: 'c',
  client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
  grant_types: ['client_credentials'],
}
await registry.put(clientKey('c'), clientRecord(client))
await close()

const now = () => Math.floor(Date.now() / 1000)
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function start(command: string, keys: readonly object[]): Promise<Running> {
  const settings = { ISSUER, SIGNING_KEYS: JSON.stringify({ keys }), ACCESS_TOKEN_LIFETIME: `${LIFETIME_SECONDS}` }
  return startServer((port) => ({
    command,
    environment: { PORT: `${port}`, STORE_URL: `sqlite:${file}`, ...settings },
  }))
}

/** Three deploys under one name: the first key, the second announced beside it, the second alone. */
async function rotateUnderLoad(command: string, alg: string) {
  const announceSeconds = Math.max(3, Math.floor(SECONDS / 3))
  const [first, deadline] = [[await generateKey(alg)], Date.now() + SECONDS * 1000]
  const servers = [await start(command, first)]
  const inCharge = (path: string, init?: RequestInit) => fetch(`${servers.at(-1)?.origin}${path}`, init)

  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'c', client_secret: secret })
  // A resource server that keeps the keys for half the time that a new one is announced.
  const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), {
    [customFetch]: () => inCharge('/.well-known/jwks.json'),
    cacheMaxAge: announceSeconds * 500,
  })
  const kids = new Map<string, number>()
  const load = async (): Promise<void> => {
    while (Date.now() < deadline) {
      const response = await inCharge('/token', { method: 'POST', body })
      assert.equal(response.status, 200)
      const { access_token } = (await response.json()) as { access_token: string }
      const { protectedHeader } = await jwtVerify(access_token, keys, { issuer: ISSUER })
      kids.set(protectedHeader.kid ?? '', (kids.get(protectedHeader.kid ?? '') ?? 0) + 1)
    }
  }
  const turn = async (): Promise<void> => {
    await sleep(500)
    const second = await rotate(first, { alg, announceSeconds, retiredSeconds: LIFETIME_SECONDS, now: now() })
    servers.push(await start(command, second))
    await sleep((announceSeconds + LIFETIME_SECONDS + 1) * 1000)
    servers.push(await start(command, second.slice(0, 1)))
  }
  const work = [turn(), load(), load(), load()]
  try {
    await Promise.all(work)
  } finally {
    // A turn that goes on after a failure would start a server that nothing stops.
    await Promise.allSettled(work)
    for (const server of servers) await server.stop()
  }
  return [...kids.values()]
}

describe('a rotation under load', () => {
  for (const [command, alg] of [
    ['node src/index.ts', 'RS256'],
    ['bun run src/index.ts', 'ES256'],
  ] as const) {
    test(`${command}, ${alg}: every token verifies, by the first key and then by the second`, async () => {
      const counts = await rotateUnderLoad(command, alg)
      console.log(
        `${command}, ${alg}, ${SECONDS} s: ${counts.join(' tokens by the first key, ')} by the second, all verified`,
      )
      assert.equal(counts.length, 2)
      for (const count of counts) assert.ok(count > 10)
    })
  }
})
