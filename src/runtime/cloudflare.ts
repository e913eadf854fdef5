/** Cloudflare Workers: settings, the KV namespace and the Durable Object are bindings. */

import { env } from 'cloudflare:workers'
import type { RawCertificate } from '../certificates/client_cert.ts'
import type { Problem } from '../config.ts'
import { epochSeconds } from '../lib/clock.ts'
import { UNCONFIGURED_LINE } from '../start.ts'
import type { Stores } from '../stores/contracts.ts'
import { durableLedger, Ledger, type LedgerNamespace } from '../stores/durable_object.ts'
import { type KvNamespace, kvRegistry, type RecordNamespace } from '../stores/kv.ts'
import { curlLine } from './announce.ts'
import type { Start } from './runtime.ts'

/** As in wrangler.toml; before the first request a Worker cannot see where `wrangler dev` listens. */
const DEV_ORIGIN = 'http://localhost:8080'

/** The binding in wrangler.toml requires that the entry exports the class. */
export { Ledger }

export const start: Start = async (createServer) => {
  const { app, config } = await createServer({
    environment: env,
    fetch: (url, init) => fetch(url, init),
    certificateOf,
    openStores,
    storeSetting: 'wrangler.toml',
    commandFor: (setting) => COMMANDS[setting] ?? `npx wrangler secret put ${setting}`,
    now: epochSeconds,
    write: (line) => console.log(line),
    warn: (line) => console.error(line),
  })
  if (config === undefined) console.error(UNCONFIGURED_LINE)
  if (config?.dev) console.log(curlLine(DEV_ORIGIN, '(8080 unless wrangler dev has another --port)'))
  return { fetch: (request) => app.fetch(request) }
}

const COMMANDS: Readonly<Partial<Record<Problem['setting'], string>>> = {
  ISSUER: 'echo https://tokens.example.com | npx wrangler secret put ISSUER',
  SIGNING_KEYS: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | npx wrangler secret put SIGNING_KEYS',
  REGISTRATION_TOKEN: 'openssl rand -hex 32 | npx wrangler secret put REGISTRATION_TOKEN',
  DEV: 'npx wrangler secret delete DEV',
  'wrangler.toml': 'git checkout wrangler.toml && npx wrangler deploy',
}

async function openStores(): Promise<Stores> {
  const objects = binding<LedgerNamespace & RecordNamespace>('LEDGER', 'idFromName', 'the Durable Object class Ledger')
  return {
    registry: kvRegistry(binding<KvNamespace>('CLIENTS', 'list', 'a KV namespace'), objects),
    ledger: durableLedger(objects),
    close: async () => undefined,
  }
}

/** The part of `request.cf.tlsClientAuth` that is used. */
interface TlsClientAuth {
  /** `SUCCESS`, `NONE`, or `FAILED:` and the reason. */
  readonly certVerified: string
  /** `0` if not revoked, `1` if revoked. */
  readonly certRevoked: string
  /** As in a `Client-Cert` header; empty without a certificate. */
  readonly certRFC9440?: string
}

/** Cloudflare's edge terminates TLS and sets these members; a client cannot. */
function certificateOf(
  request: Request & { readonly cf?: { readonly tlsClientAuth?: TlsClientAuth | null } },
): RawCertificate | undefined {
  const { certRFC9440 = '', certVerified, certRevoked } = request.cf?.tlsClientAuth ?? {}
  if (certRFC9440 === '') return undefined
  return { clientCert: certRFC9440, isVerified: certVerified === 'SUCCESS' && certRevoked === '0' }
}

/** Returns a binding. A variable of the same name is recognized by the lack of the binding's function `member`. */
function binding<T>(name: string, member: keyof T & string, kind: string): T {
  const value = env[name]
  if (typeof value !== 'object' || value === null || !(member in value)) {
    throw new TypeError(`does not bind ${name} to ${kind}`)
  }
  return value as T
}
