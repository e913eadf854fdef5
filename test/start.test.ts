/** On deployed Workers the clock stands at 0 until the first request, so a start that reads it decides by a wrong time. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Stores } from '../src/stores/contracts.ts'

const NOW = 1_800_000_000

/** Two rotations leave two keys, each with the instant from which it signs. */
async function rotatedTwice(generateKey: (alg: string, signsFrom: number) => Promise<object>): Promise<string> {
  return JSON.stringify({ keys: [await generateKey('ES256', NOW - 600), await generateKey('ES256', NOW - 7200)] })
}

/** Whether the test runner called: on workerd it shares the globals with what it tests. */
function isRunner(): boolean {
  const [, , , caller = ''] = (new Error().stack ?? '').split('\n')
  return caller.includes('vitest')
}

/** Runs `work` while every read of the runtime's clock throws. */
async function withoutClock<T>(work: () => Promise<T>): Promise<T> {
  const [RealDate, realNow] = [globalThis.Date, performance.now.bind(performance)]
  const refuse =
    <R>(read: () => R) =>
    (): R => {
      if (isRunner()) return read()
      throw new Error('the clock was read before the first request')
    }
  globalThis.Date = new Proxy(RealDate, {
    apply: refuse(() => RealDate()),
    construct: (target, values) =>
      values.length === 0 ? refuse(() => new RealDate())() : Reflect.construct(target, values),
    get: (target, name) => (name === 'now' ? refuse(RealDate.now) : Reflect.get(target, name)),
  })
  performance.now = refuse(realNow)
  try {
    return await work()
  } finally {
    globalThis.Date = RealDate
    performance.now = realNow
  }
}

test('neither the modules nor a start read the clock; the first request does', async () => {
  const { generateKey } = await import('../src/keys/key_set.ts')
  const SIGNING_KEYS = await rotatedTwice(generateKey)
  const lines: string[] = []
  let isServing = false
  const now = (): number => {
    assert.ok(isServing, 'the clock was read before the first request')
    return NOW
  }
  const { app, config } = await withoutClock(async () => {
    const { createServer } = await import('../src/preset.ts')
    const { memoryStores } = await import('../src/stores/memory.ts')
    return createServer({
      environment: {
        ISSUER: 'https://tokens.example',
        SIGNING_KEYS,
        DPOP_NONCE_REQUIRED: 'true',
        REGISTRATION_TOKEN: 'x'.repeat(32),
      },
      fetch: () => Promise.reject(new Error('no network')),
      openStores: async (): Promise<Stores> => memoryStores(now),
      storeSetting: 'STORE_URL',
      commandFor: (setting) => setting,
      now,
      write: (line) => lines.push(line),
      warn: (line) => lines.push(line),
    })
  })
  assert.deepEqual(lines, [])
  assert.ok(config !== undefined)
  isServing = true
  const jwks = await app.request('https://tokens.example/.well-known/jwks.json')
  assert.equal(((await jwks.json()) as { keys: unknown[] }).keys.length, 2)
  const headers = { Authorization: `Bearer ${'x'.repeat(32)}`, 'Content-Type': 'application/json' }
  const made = await app.request('https://tokens.example/register', { method: 'POST', headers, body: '{}' })
  const { client_id, client_secret } = (await made.json()) as Record<'client_id' | 'client_secret', string>
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret })
  assert.equal((await app.request('https://tokens.example/token', { method: 'POST', body })).status, 200)
})
