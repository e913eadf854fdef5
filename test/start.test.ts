/** On deployed Workers the clock stands at 0 until the first request, so a start that reads it decides by a wrong time. */

import assert from 'node:assert/strict'
import { test } from '#test'
import type { Stores } from '../src/stores/contracts.ts'
import { withoutClock } from './support/clock.ts'

const NOW = 1_800_000_000

test('neither the modules nor a start read the clock; the first request does', async () => {
  const lines: string[] = []
  let isServing = false
  const now = (): number => {
    assert.ok(isServing, 'the clock was read before the first request')
    return NOW
  }
  const { app, config } = await withoutClock(async () => {
    const { createServer } = await import('../src/start.ts')
    const { generateKey } = await import('../src/keys/key_set.ts')
    const { memoryStores } = await import('../src/stores/memory.ts')
    // As two rotations leave them.
    const keys = [await generateKey('ES256', NOW - 600), await generateKey('ES256', NOW - 7200)]
    return createServer({
      environment: {
        ISSUER: 'https://tokens.example',
        SIGNING_KEYS: JSON.stringify({ keys }),
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
