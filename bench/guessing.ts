/**
 * `npm run bench:guessing`: what wrong guesses at one client's bcrypt secret do to another client with a generated secret. Tokens
 * of the second are counted alone and then while 10,000 guesses come in at 500 a second; both in one run, so that the ratio is
 * the result.
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { exportPKCS8, generateKeyPair } from 'jose'
import { generateSecret } from '../src/clients/generated_secret.ts'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { hashSecret } from '../src/clients/secret_hashes.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { freePort, startServer } from '../test/support/process.ts'

const GUESSES = 10_000
const SECONDS_ALONE = 5
const LANES = 8

const GUESSING_LANES = 4
const GUESSES_PER_SECOND = 500

const COMMANDS: Readonly<Record<string, string>> = {
  node: 'node src/index.ts',
  bun: 'bun run src/index.ts',
  deno: 'deno run --allow-all src/index.ts',
}

const secret = generateSecret()
const folder = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
const file = join(folder, 'edgemint.db')
const { registry } = sqliteStores(file, Date.now)
for (const [client_id, hash] of [
  ['generated', await hashSecret(secret)],
  ['chosen', await hashSecret('foobar')],
] as const) {
  const client = { client_id, client_secrets: [{ id: '1', hash }], grant_types: ['client_credentials'] }
  await registry.put(clientKey(client_id), clientRecord(client))
}
const { privateKey } = await generateKeyPair('RS256', { extractable: true })

async function ask(origin: string, client_id: string, client_secret: string): Promise<number> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
  const response = await fetch(`${origin}/token`, { method: 'POST', body })
  await response.arrayBuffer()
  return response.status
}

/** Lets `LANES` callers go on until `isOver`; gives what they got, each second. */
async function tokensPerSecond(origin: string, isOver: () => boolean): Promise<number> {
  const start = performance.now()
  let tokens = 0
  const lane = async (): Promise<void> => {
    while (!isOver()) if ((await ask(origin, 'generated', secret)) === 200) tokens++
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return tokens / ((performance.now() - start) / 1000)
}

for (const [runtime, command] of Object.entries(COMMANDS)) {
  const port = await freePort()
  const environment = {
    PORT: `${port}`,
    ISSUER: 'https://tokens.example',
    SIGNING_KEYS: await exportPKCS8(privateKey),
    STORE_URL: `sqlite:${file}`,
  }
  const server = await startServer(command, port, environment)
  const { origin } = server
  const end = performance.now() + SECONDS_ALONE * 1000
  await tokensPerSecond(origin, () => performance.now() > end - SECONDS_ALONE * 800)
  const alone = await tokensPerSecond(origin, () => performance.now() > end)
  let guesses = 0
  const statuses = new Map<number, number>()
  const start = performance.now()
  const guess = async (): Promise<void> => {
    while (guesses < GUESSES) {
      const due = start + (guesses / GUESSES_PER_SECOND) * 1000
      const status = await ask(origin, 'chosen', `wrong-${guesses++}`)
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const guessing = Promise.all(Array.from({ length: GUESSING_LANES }, guess))
  const beside = await tokensPerSecond(origin, () => guesses >= GUESSES)
  await guessing
  await server.stop()
  const told = [...statuses].map(([status, times]) => `${times} × ${status}`).join(', ')
  const rates = `${alone.toFixed(0)} tokens/s alone, ${beside.toFixed(0)} beside ${GUESSES} guesses (${told})`
  console.log(`${runtime}: ${rates}, ratio ${(alone / beside).toFixed(2)}`)
}
process.exit()
