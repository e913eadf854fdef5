/**
 * What a token costs at the least, in the runtime that starts this: `/route` is a bare Hono route whose answer is as long as a
 * token's, `/sign/{alg}/{count}` makes so many signatures, 16 at a time. It is timed from outside, for workerd's clock stands still.
 */

import { Hono } from 'hono'
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose'

const LANES = 16

const keys = new Map<string, Promise<{ privateKey: CryptoKey }>>()
const answer = JSON.stringify({ access_token: 'x'.repeat(700), expires_in: 1800, scope: '', token_type: 'bearer' })
const headers = { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store', Pragma: 'no-cache' }

const app: Hono = new Hono()
app.post('/route', async (c) => {
  await c.req.arrayBuffer()
  return new Response(answer, { headers })
})
app.get('/sign/:alg/:count', async (c) => {
  const { alg, count } = c.req.param()
  const pair = keys.get(alg) ?? generateKeyPair(alg, { modulusLength: 2048 })
  keys.set(alg, pair)
  const { privateKey } = await pair
  let left = Number(count)
  const lane = async (): Promise<void> => {
    while (left-- > 0)
      await new SignJWT({ sub: 'client', jti: String(left) }).setProtectedHeader({ alg }).sign(privateKey)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return c.text('done')
})

const handler: { fetch(request: Request): Response | Promise<Response> } = { fetch: (request) => app.fetch(request) }
export default handler
