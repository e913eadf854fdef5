/** Cloudflare Workers: settings and the KV namespace are bindings. */

import { env } from 'cloudflare:workers'
import { type KvNamespace, kvRegistry } from '../stores/kv.ts'
import { curlLine } from './announce.ts'
import type { Start } from './runtime.ts'

/** As set in wrangler.toml; a Worker cannot see where `wrangler dev` listens. */
const DEV_ORIGIN = 'http://localhost:8080'

export const start: Start = async (createServer) => {
  const { app, config } = await createServer({
    environment: env,
    openRegistry: () => kvRegistry(clientsBinding()),
    storeSetting: 'CLIENTS',
    commandFor: (setting) => COMMANDS[setting] ?? `npx wrangler secret put ${setting}`,
    now: () => Math.floor(Date.now() / 1000),
    write: (line) => console.log(line),
    warn: (line) => console.error(line),
  })
  if (config?.dev) console.log(curlLine(DEV_ORIGIN))
  return { fetch: (request) => app.fetch(request) }
}

const COMMANDS: Readonly<Record<string, string>> = {
  ISSUER: 'echo https://tokens.example.com | npx wrangler secret put ISSUER',
  SIGNING_KEYS: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | npx wrangler secret put SIGNING_KEYS',
  CLIENTS: 'npx wrangler kv namespace create CLIENTS --binding CLIENTS --update-config',
}

function clientsBinding(): KvNamespace {
  const namespace = env['CLIENTS']
  if (!isKvNamespace(namespace)) throw new TypeError('is not bound to a KV namespace')
  return namespace
}

function isKvNamespace(value: unknown): value is KvNamespace {
  return typeof value === 'object' && value !== null && 'get' in value && 'put' in value
}
