/** The common part of Deno, Bun and Node: settings are environment variables, and STORE_URL names the stores. */

import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setInterval, setTimeout } from 'node:timers'
import type { Problem } from '../config.ts'
import { auditLine } from '../events/audit.ts'
import type { Host } from '../start.ts'
import type { Stores } from '../stores/contracts.ts'
import { memoryStores } from '../stores/memory.ts'
import { type LineWriter, lineWriter, type Put } from './line_writer.ts'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** How long pending requests may take after a signal. Container runtimes kill a process after 10 to 30 seconds. */
const STOP_SECONDS = 9

/** The parent when the module was loaded, usually the shell that npm runs a script with. */
const PARENT = process.ppid

type Environment = Readonly<Record<string, unknown>>

/** What differs between the runtimes. */
interface RuntimeParts {
  /** Stores in addition to those of every runtime. */
  readonly backends?: Backends
  readonly log: LineWriter
}

export function processHost(environment: Environment, { backends = {}, log }: RuntimeParts): Host {
  return {
    environment,
    fetch: (url, init) => fetch(url, init),
    resolve: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    openStores: ({ storeUrl }) => openStores(storeUrl, backends),
    storeSetting: 'STORE_URL',
    commandFor: (setting) => COMMANDS[setting],
    now,
    write: log.write,
    warn,
  }
}

/** Returns the audit log. `put` writes its lines. */
export function auditLog(put: Put): LineWriter {
  return lineWriter(put, (lines) => auditLine({ event: 'audit_lines_lost', lines }, now()))
}

/** How often a process that npm started looks whether npm is still there. */
const PARENT_MILLISECONDS = 500

/**
 * Ends the process after a signal, once `finish` has settled and the log is written, but at the latest after 9 seconds. The
 * same signal a second time ends it at once. npm and npx end at once after SIGTERM and do not pass it on, so the end of the npm that
 * started the process counts as a signal, too.
 */
export function stopOnSignals(log: LineWriter, finish: () => Promise<unknown>): void {
  const stop = async (): Promise<void> => {
    setTimeout(() => process.exit(), STOP_SECONDS * 1000).unref()
    await Promise.allSettled([finish()])
    await log.written()
    process.exit()
  }
  for (const signal of STOP_SIGNALS) process.once(signal, () => void stop())
  if (process.env['npm_execpath'] === undefined) return
  const started = ancestor()
  const timer = setInterval(() => {
    if ([started, undefined].includes(ancestor())) return
    clearInterval(timer)
    void stop()
  }, PARENT_MILLISECONDS)
  timer.unref()
}

/**
 * Returns the id of the process that started the parent, which is a shell that outlives npm; that of the parent where there is no
 * /proc, or where the parent has gone. Undefined when it cannot be read, for example without free file handles.
 */
function ancestor(): number | undefined {
  try {
    const stat = readFileSync(`/proc/${PARENT}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2])
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? process.ppid : undefined
  }
}

/** Prints a line for the operator to standard error. */
export function warn(line: string): void {
  printSafely(console.error, line)
}

/** Prints a line, ignoring failures: a closed pipe or a full disk is no reason to stop serving. */
export function printSafely(print: (line: string) => void, line: string): void {
  try {
    print(line)
  } catch {
    // There is nowhere left to report it.
  }
}

/** Functions that open stores, by the scheme of the URL. The module of a store is loaded only if it is used. */
type Backends = Readonly<Record<string, (url: string) => Promise<Stores>>>

const commonBackends: Backends = {
  memory: async () => memoryStores(now),
  sqlite: async (url) => (await import('../stores/sqlite.ts')).sqliteStores(url.slice('sqlite:'.length), now),
  redis: async (url) => (await import('../stores/redis.ts')).redisStores(url, now),
  rediss: async (url) => (await import('../stores/redis.ts')).redisStores(url, now),
}

function openStores(url: string, backends: Backends): Promise<Stores> {
  const scheme = url.slice(0, url.indexOf(':'))
  const open = { ...commonBackends, ...backends }[scheme]
  return open === undefined ? Promise.reject(new TypeError(`${scheme}: is not supported on this runtime`)) : open(url)
}

export function now(): number {
  return Math.floor(Date.now() / 1000)
}

const COMMANDS: Readonly<Record<Problem['setting'], string>> = {
  ISSUER: 'export ISSUER=https://tokens.example.com',
  SIGNING_KEYS:
    'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signing-key.pem && export SIGNING_KEYS="$(cat signing-key.pem)"',
  STORE_URL: 'export STORE_URL=sqlite:.edgemint/edgemint.db',
  ACCESS_TOKEN_LIFETIME: 'export ACCESS_TOKEN_LIFETIME=1800',
  ACCESS_TOKEN_PROFILE: 'export ACCESS_TOKEN_PROFILE=rfc9068',
  PORT: 'export PORT=8080',
  HOST: 'export HOST=127.0.0.1',
  CACHE_SECONDS: 'export CACHE_SECONDS=30',
  CLIENT_ASSERTION_LIFETIME: 'export CLIENT_ASSERTION_LIFETIME=3600',
  REGISTRATION_TOKEN: 'export REGISTRATION_TOKEN="$(openssl rand -hex 32)"',
  INTROSPECTIONS_PER_MINUTE: 'export INTROSPECTIONS_PER_MINUTE=60000',
  DPOP_NONCE_REQUIRED: 'export DPOP_NONCE_REQUIRED=true',
  TRUSTED_PROXIES: 'export TRUSTED_PROXIES=10.0.0.5',
  CLIENT_CERT_VERIFIED: 'export CLIENT_CERT_VERIFIED=true',
  DEV: 'unset DEV',
  'wrangler.toml': 'git checkout wrangler.toml',
}
