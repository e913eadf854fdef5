/** What holds on a deployed Worker and neither under `wrangler dev` nor in Vitest: there the clock runs in the global scope. */

import assert from 'node:assert/strict'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateKey } from '../src/keys/key_set.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { startKv } from './support/kv_model.ts'
import { sendRaw } from './support/raw_request.ts'
import { bundleWorker, serveWorker } from './support/workerd.ts'

const ISSUER = 'https://tokens.example'
const now = Math.floor(Date.now() / 1000)

describe('the Worker that `wrangler deploy` would upload, on plain workerd', () => {
  const cases: readonly [name: string, signsFrom: readonly number[], status: number][] = [
    ['keys rotated twice', [now - 3600, now - 7200], 200],
    ['only a key whose time has not come', [now + 3600], 503],
  ]
  for (const [name, signsFrom, status] of cases) {
    test(`answers ${status} with ${name}`, async (t) => {
      const secret = generateSecret()
      const client = {
        client_id: 'c',
        client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
        grant_types: ['client_credentials'],
      }
      const kv = await startKv()
      t.after(() => kv.close())
      kv.values.set(clientKey('c'), clientRecord(client))
      const keys = await Promise.all(signsFrom.map((at) => generateKey('ES256', at)))
      const { origin, output, stop } = await serveWorker(
        bundleWorker(),
        { ISSUER, SIGNING_KEYS: JSON.stringify({ keys }) },
        kv.port,
      )
      try {
        const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'c', client_secret: secret })
        const response = await fetch(`${origin}/token`, { method: 'POST', body })
        assert.equal(response.status, status)
        assert.equal(await sendRaw(Number(new URL(origin).port), ['GET / HTTP/1.1', 'Host: 127.0 .1']), 400)
        const { access_token = '', error } = (await response.json()) as { access_token?: string; error?: string }
        const jwks = new URL(`${origin}/.well-known/jwks.json`)
        if (status === 200) {
          const { protectedHeader } = await jwtVerify(access_token, createRemoteJWKSet(jwks), { issuer: ISSUER })
          assert.equal(protectedHeader.kid, keys[0]?.kid)
        } else {
          assert.equal(error, 'temporarily_unavailable')
          assert.match(output(), /"reason":"signing_key_missing"/)
          assert.equal(((await (await fetch(jwks)).json()) as { keys: unknown[] }).keys.length, 1)
        }
      } finally {
        await stop()
      }
    })
  }
})
