/**
 * The minimum cost of a token in a runtime: `/route` is a bare Hono route that reads a form and has a response as large as that of
 * `/token`, `/sign/{alg}/{count}` makes that many signatures, 16 at a time, and `/least/{alg}` is the bare route with one digest
 * and one signature. Times are measured by the caller, because workerd's clock does not advance during a request.
 */

import { Hono } from 'hono'
import { generateKeyPair } from 'jose'

const LANES = 16

const ALGORITHMS: Readonly<Record<string, AlgorithmIdentifier & { hash?: string }>> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
}

const keys = new Map<string, Promise<() => Promise<unknown>>>()
const answer = JSON.stringify({ access_token: 'x'.repeat(700), expires_in: 1800, scope: '', token_type: 'bearer' })
const headers = { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store', Pragma: 'no-cache' }
const signed = new Uint8Array(400).fill(120)

/** Returns a function that makes one signature. */
function signer(alg: string): Promise<() => Promise<unknown>> {
  const made = keys.get(alg) ?? makeSigner(alg)
  keys.set(alg, made)
  return made
}

async function makeSigner(alg: string): Promise<() => Promise<unknown>> {
  const algorithm = ALGORITHMS[alg]
  if (algorithm === undefined) throw new Error(`${alg} is not measured`)
  const { privateKey } = await generateKeyPair(alg, { modulusLength: 2048 })
  return () => crypto.subtle.sign(algorithm, privateKey, signed)
}

const app: Hono = new Hono()
app.post('/route', async (c) => {
  await c.req.arrayBuffer()
  return new Response(answer, { headers })
})
app.post('/sign/:alg/:count', async (c) => {
  const sign = await signer(c.req.param('alg'))
  let left = Number(c.req.param('count'))
  const lane = async (): Promise<void> => {
    while (left-- > 0) await sign()
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return c.text('done')
})
app.post('/least/:alg', async (c) => {
  await crypto.subtle.digest('SHA-256', await c.req.arrayBuffer())
  const sign = await signer(c.req.param('alg'))
  await sign()
  return new Response(answer, { headers })
})

const handler: { fetch(request: Request): Response | Promise<Response> } = { fetch: (request) => app.fetch(request) }
export default handler
