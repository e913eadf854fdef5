/** The common part of Deno, Bun and Node: settings are environment variables, and STORE_URL names the stores. */

import { hash } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import type { Problem } from '../config_types.ts'
import { auditLine } from '../events/audit.ts'
import { epochSeconds, preciseSeconds } from '../lib/clock.ts'
import type { Host } from '../start.ts'
import type { Stores } from '../stores/contracts.ts'
import { memoryStores } from '../stores/memory.ts'
import { type LineWriter, lineWriter, type Put } from './line_writer.ts'
import { openSqlite } from './open_sqlite.ts'
import { type Operator, plainOperator, printSafely } from './operator.ts'
import type { Backends, Environment } from './runtime.ts'

/** What differs between the runtimes. */
interface RuntimeParts {
  /** Stores in addition to those of every runtime. */
  readonly backends?: Backends
  readonly log: LineWriter
  readonly operator?: Operator
}

export function processHost(
  environment: Environment,
  { backends = {}, log, operator = plainOperator }: RuntimeParts,
): Host {
  return {
    environment,
    fetch: (url, init) => fetch(url, init),
    resolve: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    // WebCrypto computes each digest in another thread, which takes longer than the digest.
    sha256: (text) => hash('sha256', text, 'base64url'),
    openStores: ({ storeUrl }) => openStores(storeUrl, backends),
    storeSetting: 'STORE_URL',
    commandFor: (setting) => (setting === 'STORE_URL' ? storeCommand(environment) : COMMANDS[setting]),
    now: epochSeconds,
    preciseNow: preciseSeconds,
    write: log.write,
    warn: operator.warn,
  }
}

/** Returns the audit log. `put` writes its lines. */
export function auditLog(put: Put): LineWriter {
  return lineWriter(put, (lines) => auditLine({ event: 'audit_lines_lost', lines }, preciseSeconds()))
}

/** Prints a line for the operator to standard error. */
export function warn(line: string): void {
  printSafely(console.error, line)
}

const commonBackends: Backends = {
  memory: async () => memoryStores(),
  sqlite: openSqlite,
  redis: openRedis,
  rediss: openRedis,
}

function openStores(url: string, backends: Backends): Promise<Stores> {
  const scheme = url.slice(0, url.indexOf(':'))
  const open = { ...commonBackends, ...backends }[scheme]
  return open === undefined ? Promise.reject(new TypeError(`${scheme}: is not supported on this runtime`)) : open(url)
}

async function openRedis(url: string): Promise<Stores> {
  return (await import('../stores/redis.ts')).redisStores(url)
}

const STORE_URLS = ['sqlite:/var/lib/edgemint/edgemint.db', 'sqlite:/data/edgemint.db'] as const

/** Proposes another file than the one that the server could not open. */
function storeCommand({ STORE_URL: failed }: Environment): string {
  return `export STORE_URL=${STORE_URLS.find((url) => url !== failed)}`
}

const COMMANDS: Readonly<Record<Exclude<Problem['setting'], 'STORE_URL'>, string>> = {
  ISSUER: 'export ISSUER=https://tokens.example.com',
  SIGNING_KEYS:
    'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signing-key.pem && export SIGNING_KEYS="$(cat signing-key.pem)"',
  KEY_ENCRYPTION_KEYS: 'export KEY_ENCRYPTION_KEYS="1:$(openssl rand 32 | basenc --base64url -w0 | tr -d =)"',
  KEY_ROTATION_DAYS: 'export KEY_ROTATION_DAYS=30',
  KEY_ROTATION_SECONDS: 'unset KEY_ROTATION_SECONDS',
  SIGNING_ALG: 'export SIGNING_ALG=ES256',
  ACCESS_TOKEN_LIFETIME: 'export ACCESS_TOKEN_LIFETIME=1800',
  ACCESS_TOKEN_PROFILE: 'export ACCESS_TOKEN_PROFILE=rfc9068',
  TOKEN_REUSE_SECONDS: 'export TOKEN_REUSE_SECONDS=60',
  AUDIT_LOG: 'export AUDIT_LOG=refusals',
  PORT: 'export PORT=8080',
  HOST: 'export HOST=127.0.0.1',
  CACHE_SECONDS: 'export CACHE_SECONDS=30',
  CLIENT_ASSERTION_LIFETIME: 'export CLIENT_ASSERTION_LIFETIME=3600',
  REGISTRATION_TOKEN: 'export REGISTRATION_TOKEN="$(openssl rand -hex 32)"',
  INTROSPECTIONS_PER_MINUTE: 'export INTROSPECTIONS_PER_MINUTE=60000',
  DPOP_NONCE_REQUIRED: 'export DPOP_NONCE_REQUIRED=true',
  TRUSTED_PROXIES: 'export TRUSTED_PROXIES=10.0.0.5',
  CLIENT_CERT_VERIFIED: 'export CLIENT_CERT_VERIFIED=true',
  SECURITY_CONTACT: 'export SECURITY_CONTACT=mailto:security@example.com',
  DEV: 'unset DEV',
  VAULT_TOKEN: 'export VAULT_TOKEN="$(vault token create -field=token -policy=edgemint -period=768h)"',
  VAULT_NAMESPACE: 'export VAULT_NAMESPACE=admin',
  AWS_ACCESS_KEY_ID: 'export AWS_ACCESS_KEY_ID="$(aws configure get aws_access_key_id)"',
  AWS_SECRET_ACCESS_KEY: 'export AWS_SECRET_ACCESS_KEY="$(aws configure get aws_secret_access_key)"',
  AWS_SESSION_TOKEN: 'export AWS_SESSION_TOKEN="$(aws configure get aws_session_token)"',
  AWS_ENDPOINT_URL_KMS: 'unset AWS_ENDPOINT_URL_KMS',
  'wrangler.toml': 'git checkout wrangler.toml',
}
