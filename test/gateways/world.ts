/** A running server, tokens of its key, good ones and others, and an API behind a gateway. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { inLanguage } from '../support/doc_blocks.ts'
import { type Running, startServer } from '../support/process.ts'

export const ISSUER = 'https://tokens.example.com'
export const AUDIENCE = 'https://api.example.com'
const PAGE = 'docs/resource-servers.md'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const { privateKey: stranger } = await generateKeyPair('ES256')

/** The key of the server, public. */
export const publicJwk: object = await exportJWK(publicKey)

/** The server, on Node; its issuer is another URL, as it is behind a proxy. */
export const server: Running = await startServer(async (port) => ({
  command: 'exec node src/index.ts',
  environment: {
    ISSUER,
    SIGNING_KEYS: JSON.stringify({ keys: [await exportJWK(privateKey)] }),
    STORE_URL: 'memory:',
    PORT: `${port}`,
  },
}))
after(() => server.stop())

const { keys } = (await (await fetch(`${server.origin}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }
const kid = keys[0]?.kid ?? ''

interface Making {
  readonly claims?: object
  readonly typ?: string
  readonly key?: CryptoKey
}

/** Signs a token as the server would. */
export function sign({ claims = {}, typ = 'at+jwt', key = privateKey }: Making = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const good = { iss: ISSUER, aud: AUDIENCE, sub: 'reporting', client_id: 'reporting', iat: now, exp: now + 600 }
  const payload = { ...good, jti: crypto.randomUUID(), scope: 'read', ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(key)
}

const past = Math.floor(Date.now() / 1000) - 3600

/** Tokens that must be refused, by what is wrong with them. */
export const refused: Readonly<Record<string, Making>> = {
  'another audience': { claims: { aud: 'https://other.example.com' } },
  'another issuer': { claims: { iss: 'https://evil.example.com' } },
  'an hour ago': { claims: { iat: past - 600, exp: past } },
  'another key': { key: stranger },
  'another type': { typ: 'JWT' },
  'bound to a key': { claims: { cnf: { jkt: 'x' } } },
}

/** Starts an API that answers with the subject that its gateway names. Returns its port. */
export async function startApi(): Promise<number> {
  const api = createServer((request, response) => {
    response.end(`in ${request.headers['x-subject'] ?? ''}`)
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  after(() => {
    api.closeAllConnections()
    api.close()
  })
  return (api.address() as AddressInfo).port
}

/** Returns the block of the page in this language, with each text replaced. @throws Error for a text that is not in it */
export function blockOf(language: string, mark: string, replaced: Readonly<Record<string, string>> = {}): string {
  const block = inLanguage(language).find(({ page, text }) => page === PAGE && text.includes(mark))
  if (block === undefined) throw new Error(`${PAGE} has no block of ${language} with ${mark}`)
  return Object.entries(replaced).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the block has no ${from}`)
    return text.replaceAll(from, to)
  }, block.text)
}
