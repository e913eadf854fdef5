/**
 * What a token costs at the least, in the runtime that starts this: `/route` is a bare Hono route that reads a form and answers as
 * much as `/token` does, `/sign/{alg}/{count}` makes so many signatures, 16 at a time. It is timed from outside, for workerd's clock
 * stands still.
 */

import { Hono } from 'hono'
import { generateKeyPair } from 'jose'

const LANES = 16

const ALGORITHMS: Readonly<Record<string, AlgorithmIdentifier & { hash?: string }>> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
}

const keys = new Map<string, Promise<{ privateKey: CryptoKey }>>()
const answer = JSON.stringify({ access_token: 'x'.repeat(700), expires_in: 1800, scope: '', token_type: 'bearer' })
const headers = { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store', Pragma: 'no-cache' }
const signed = new Uint8Array(400).fill(120)

const app: Hono = new Hono()
app.post('/route', async (c) => {
  await c.req.arrayBuffer()
  return new Response(answer, { headers })
})
app.post('/sign/:alg/:count', async (c) => {
  const { alg, count } = c.req.param()
  const algorithm = ALGORITHMS[alg]
  if (algorithm === undefined) return c.notFound()
  const pair = keys.get(alg) ?? generateKeyPair(alg, { modulusLength: 2048 })
  keys.set(alg, pair)
  const { privateKey } = await pair
  let left = Number(count)
  const lane = async (): Promise<void> => {
    while (left-- > 0) await crypto.subtle.sign(algorithm, privateKey, signed)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return c.text('done')
})

const handler: { fetch(request: Request): Response | Promise<Response> } = { fetch: (request) => app.fetch(request) }
export default handler
