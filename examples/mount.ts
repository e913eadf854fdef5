/** The full server inside an app that has routes of its own, also at `/token` and `/openapi.json`. */

import { auditLines, createPreset, generateKeyring, hashToken } from 'edgemint'
import { memoryStores } from 'edgemint/stores/memory'
import { Hono } from 'hono'

/** Its path is where the provider answers, and the metadata names these URLs. */
const ISSUER = 'https://example.com/auth'

const now = () => Math.floor(Date.now() / 1000)

const provider = createPreset({
  issuer: ISSUER,
  // In production: `await readKeyring(text)` of what `edgemint keys generate` printed.
  keyring: await generateKeyring(),
  ...memoryStores(),
  operatorTokenHash: await hashToken('the-token-of-the-operator-at-least-32-characters'),
  emit: auditLines((line) => console.log(line), now),
})

const app = new Hono()
app.get('/token', (c) => c.text('a page of the app'))
app.get('/openapi.json', (c) => c.json({ openapi: '3.1.0', info: { title: 'The app', version: '1' }, paths: {} }))
app.route('/', provider)

export default app
