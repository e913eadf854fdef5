/**
 * `npm run bench:guessing`: the effect of wrong guesses at one client's secret on other clients, on Node, Bun and Deno. Everything
 * is measured without and with guesses in one run; the result is the ratio.
 *
 * - tokens per second of a client with a generated secret, during 500 guesses per second at a secret of bcrypt cost 10
 * - its slowest response, during guesses by 16 callers at a secret of bcrypt cost 12 (the default of fosite) or 15
 * - how long clients that present the right secret for the first time have to wait: the attacked one, and 11 others
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { hash } from 'bcrypt-ts/browser'
import { exportPKCS8, generateKeyPair } from 'jose'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { type Running, startServer } from '../test/support/process.ts'

const SECONDS = 10
const TOKEN_LANES = 8
const GUESSING_LANES = 16
const OTHERS = 11
const PATIENCE_SECONDS = 60
const RIGHT = 'foobar'

const COMMANDS: Readonly<Record<string, string>> = {
  node: 'node src/index.ts',
  bun: 'bun run src/index.ts',
  deno: 'deno run --allow-all src/index.ts',
}

const runtimes = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(COMMANDS)
const generated = generateSecret()
const file = join(mkdtempSync(join(tmpdir(), 'edgemint-bench-')), 'edgemint.db')
const { registry } = sqliteStores(file, Date.now)
const others = Array.from({ length: OTHERS }, (_, index) => `other-${index}`)
const hashes = new Map([['generated', await hashSecret(generated)]])
for (const cost of [10, 12, 15]) hashes.set(`cost-${cost}`, await hash(RIGHT, cost))
for (const other of others) hashes.set(other, await hash(RIGHT, 10))
for (const [client_id, hash] of hashes) {
  const client = { client_id, client_secrets: [{ id: '1', hash }], grant_types: ['client_credentials'] }
  await registry.put(clientKey(client_id), clientRecord(client))
}
const { privateKey } = await generateKeyPair('RS256', { extractable: true })
const signingKeys = await exportPKCS8(privateKey)

async function start(runtime: string): Promise<Running> {
  const settings = { ISSUER: 'https://tokens.example', SIGNING_KEYS: signingKeys, STORE_URL: `sqlite:${file}` }
  const server = await startServer((port) => ({
    command: COMMANDS[runtime] ?? '',
    environment: { PORT: `${port}`, ...settings },
  }))
  const until = performance.now() + 2000
  await tokensPerSecond(server.origin, () => performance.now() > until)
  return server
}

function ask(origin: string, client_id: string, client_secret: string): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
  return fetch(`${origin}/token`, { method: 'POST', body })
}

async function statusOf(response: Response | Promise<Response>): Promise<number> {
  const { status } = await response
  await (await response).arrayBuffer()
  return status
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function tokensPerSecond(origin: string, isOver: () => boolean): Promise<number> {
  const start = performance.now()
  let tokens = 0
  const lane = async (): Promise<void> => {
    while (!isOver()) if ((await statusOf(ask(origin, 'generated', generated))) === 200) tokens++
  }
  await Promise.all(Array.from({ length: TOKEN_LANES }, lane))
  return tokens / ((performance.now() - start) / 1000)
}

/** Requests tokens one after another. Returns their times in milliseconds, sorted. */
async function tokenTimes(origin: string): Promise<readonly number[]> {
  const times: number[] = []
  const end = performance.now() + SECONDS * 1000
  while (performance.now() < end) {
    const start = performance.now()
    await statusOf(ask(origin, 'generated', generated))
    times.push(performance.now() - start)
    await sleep(5)
  }
  return times.toSorted((a, b) => a - b)
}

/** Runs `work` during guesses from 16 concurrent callers, together at most `perSecond`. Every guess is different. */
async function whileGuessing<T>(
  origin: string,
  client_id: string,
  perSecond: number,
  work: () => Promise<T>,
): Promise<{ result: T; responses: string }> {
  const statuses = new Map<number, number>()
  let isOver = false
  let guesses = 0
  const lane = async (): Promise<void> => {
    while (!isOver) {
      const due = performance.now() + (GUESSING_LANES / perSecond) * 1000
      const status = await statusOf(ask(origin, client_id, `wrong-${guesses++}`))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      await sleep(Math.max(0, due - performance.now()))
    }
  }
  const guessing = Promise.all(Array.from({ length: GUESSING_LANES }, lane))
  await sleep(2000)
  const result = await work()
  isOver = true
  await guessing
  return { result, responses: [...statuses].map(([status, times]) => `${times} × ${status}`).join(', ') }
}

/** Returns the seconds until the client gets a token. It retries after the time in `Retry-After`. */
async function secondsUntilToken(origin: string, client_id: string): Promise<number> {
  const start = performance.now()
  while (performance.now() - start < PATIENCE_SECONDS * 1000) {
    const response = await ask(origin, client_id, RIGHT)
    const status = await statusOf(response)
    if (status === 200) return (performance.now() - start) / 1000
    await sleep(Number(response.headers.get('Retry-After') ?? 1) * 1000)
  }
  return Number.POSITIVE_INFINITY
}

async function reportThroughput(runtime: string): Promise<void> {
  const { origin, stop } = await start(runtime)
  const forSeconds = () => {
    const end = performance.now() + SECONDS * 1000
    return tokensPerSecond(origin, () => performance.now() > end)
  }
  const alone = await forSeconds()
  const { result, responses } = await whileGuessing(origin, 'cost-10', 500, forSeconds)
  await stop()
  const ratio = (alone / result).toFixed(2)
  console.log(
    `${runtime}: ${alone.toFixed(0)} tokens/s alone, ${result.toFixed(0)} during guesses (${responses}), ratio ${ratio}`,
  )
}

async function reportSlowest(runtime: string, client_id: string): Promise<void> {
  const { origin, stop } = await start(runtime)
  const text = (times: readonly number[]) =>
    [0.5, 0.99, 1].map((part) => times[Math.ceil(times.length * part) - 1]?.toFixed(1)).join(' / ')
  const quiet = await tokenTimes(origin)
  const { result, responses } = await whileGuessing(origin, client_id, 160, async () => ({
    times: await tokenTimes(origin),
    seconds: await secondsUntilToken(origin, client_id),
  }))
  await stop()
  const ratio = ((result.times.at(-1) ?? 0) / (quiet.at(-1) ?? 0)).toFixed(2)
  console.log(`${runtime}: ms of a token (median / 99 % / slowest) ${text(quiet)} alone`)
  console.log(`  ${text(result.times)} during guesses at ${client_id} (${responses}), slowest ratio ${ratio}`)
  console.log(`  the right secret of ${client_id} is accepted after ${result.seconds.toFixed(1)} s`)
}

async function reportOthers(runtime: string): Promise<void> {
  const { origin, stop } = await start(runtime)
  const all = ['cost-10', ...others]
  const { result, responses } = await whileGuessing(origin, 'cost-10', 100, () =>
    Promise.all(all.map((client_id) => secondsUntilToken(origin, client_id))),
  )
  await stop()
  const [attacked = 0, ...rest] = result
  const slowest = Math.max(...rest).toFixed(1)
  console.log(
    `${runtime}: during 100 guesses/s at cost-10 (${responses}): it gets a token after ${attacked.toFixed(1)} s, ${OTHERS} others within ${slowest} s`,
  )
}

for (const runtime of runtimes) {
  await reportThroughput(runtime)
  for (const client_id of ['cost-12', 'cost-15']) await reportSlowest(runtime, client_id)
  await reportOthers(runtime)
}
process.exit()
