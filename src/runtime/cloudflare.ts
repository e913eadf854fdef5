/** Cloudflare Workers: settings, the KV namespace and the Durable Object are bindings. */

import { env, waitUntil } from 'cloudflare:workers'
import type { Connection, RawCertificate } from '../certificates/client_cert.ts'
import type { Problem } from '../config_types.ts'
import { epochSeconds, preciseSeconds } from '../lib/clock.ts'
import { plainAddress } from '../lib/ip_address.ts'
import { UNCONFIGURED_LINE } from '../start.ts'
import type { Stores } from '../stores/contracts.ts'
import { durableLedger, type LedgerNamespace } from '../stores/durable_object.ts'
import { type KvNamespace, kvRegistry, type RecordNamespace } from '../stores/kv.ts'
import { curlLine } from './announce.ts'
import { keysObject, ledgerWithKeys } from './durable_keys.ts'
import { isHost, refuseHost } from './host_header.ts'
import type { Start } from './runtime.ts'

/** As in wrangler.toml; before the first request a Worker cannot see where `wrangler dev` listens. */
const DEV_ORIGIN = 'http://localhost:8080'

/** The binding in wrangler.toml requires that the entry exports the class. */
export const Ledger: ReturnType<typeof ledgerWithKeys> = ledgerWithKeys(storesOf)

export const start: Start = async (createServer) => {
  const { app, config } = await createServer({
    environment: env,
    fetch: (url, init) => fetch(url, init),
    certificateOf,
    openStores: async () => ({ ...storesOf(env), close: async () => undefined }),
    waitUntil,
    rotateKeys,
    storeSetting: 'wrangler.toml',
    commandFor: (setting) => COMMANDS[setting] ?? `npx wrangler secret put ${setting}`,
    now: epochSeconds,
    preciseNow: preciseSeconds,
    write: (line) => console.log(line),
    warn: (line) => console.error(line),
  })
  if (config === undefined) console.error(UNCONFIGURED_LINE)
  if (config?.dev) console.log(curlLine(DEV_ORIGIN, '(8080 unless wrangler dev has another --port)'))
  return { fetch: (request) => (hasHost(request) ? app.fetch(request, connectionOf(request)) : refuseHost()) }
}

/** workerd itself accepts a Host that makes the URL of the request none. */
function hasHost({ headers }: Request): boolean {
  return isHost(headers.get('Host') ?? '-')
}

/** Cloudflare's edge sets both fields; a client cannot. */
function connectionOf({ headers }: Request): Connection {
  return {
    callerAddress: () => addressIn(headers.get('CF-Connecting-IP')),
    requestId: () => RAY.exec(headers.get('Cf-Ray') ?? '')?.[0],
  }
}

/** The id of a request and the airport of the data centre. */
const RAY = /^[\da-f]{16}(?:-[A-Z]{3})?$/

function addressIn(field: string | null): string | undefined {
  return field === null ? undefined : plainAddress(field)
}

const COMMANDS: Readonly<Partial<Record<Problem['setting'], string>>> = {
  ISSUER: 'echo https://tokens.example.com | npx wrangler secret put ISSUER',
  SIGNING_KEYS: 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | npx wrangler secret put SIGNING_KEYS',
  KEY_ENCRYPTION_KEYS:
    'echo "1:$(openssl rand 32 | basenc --base64url -w0 | tr -d =)" | npx wrangler secret put KEY_ENCRYPTION_KEYS',
  KEY_ROTATION_SECONDS: 'npx wrangler secret delete KEY_ROTATION_SECONDS',
  REGISTRATION_TOKEN: 'openssl rand -hex 32 | npx wrangler secret put REGISTRATION_TOKEN',
  DEV: 'npx wrangler secret delete DEV',
  'wrangler.toml': 'git checkout wrangler.toml && npx wrangler deploy',
}

/** The key is made in the object: on the Free plan a request has 10 ms of CPU time. */
async function rotateKeys(): Promise<void> {
  const objects = objectsOf(env)
  await objects.get(objects.idFromName(keysObject(String(env['ISSUER'])))).rotateKeys()
}

type Bindings = Readonly<Record<string, unknown>>

interface KeyNamespace {
  get(id: unknown): { rotateKeys(): Promise<void> }
}

function objectsOf(bindings: Bindings): KeyNamespace & LedgerNamespace & RecordNamespace {
  return binding(bindings, 'LEDGER', 'idFromName', 'the Durable Object class Ledger')
}

function storesOf(bindings: Bindings): Pick<Stores, 'registry' | 'ledger'> {
  const objects = objectsOf(bindings)
  const kv = binding<KvNamespace>(bindings, 'CLIENTS', 'list', 'a KV namespace')
  return { registry: kvRegistry(kv, objects), ledger: durableLedger(objects) }
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
function binding<T>(bindings: Bindings, name: string, member: keyof T & string, kind: string): T {
  const value = bindings[name]
  if (typeof value !== 'object' || value === null || !(member in value)) {
    throw new TypeError(`does not bind ${name} to ${kind}`)
  }
  return value as T
}
