/** What Deno, Bun and Node have in common: settings are environment variables, stores are files or memory. */

import { type Config, readPort } from '../config.ts'
import type { Host, Server } from '../preset.ts'
import { memoryRegistry } from '../stores/memory.ts'
import { sqliteRegistry } from '../stores/sqlite.ts'
import type { Registry } from '../types.ts'
import { curlLine } from './announce.ts'

type Environment = Readonly<Record<string, unknown>>

export function processHost(environment: Environment): Host {
  return {
    environment,
    openRegistry,
    storeSetting: 'STORE_URL',
    commandFor: (setting) => COMMANDS[setting] ?? `unset ${setting}`,
    now: () => Math.floor(Date.now() / 1000),
    write: (line) => console.log(line),
    warn: (line) => console.error(line),
  }
}

/** Where to listen: development stays on this machine. A server whose settings fail listens too, to say so. */
export function listenOptions(server: Server, environment: Environment): { port: number; hostname?: string } {
  return { port: readPort(environment), ...(server.config?.dev && { hostname: '127.0.0.1' }) }
}

/** Says where the server listens and, in development, what to try. */
export function announce({ config }: Server, port: number): void {
  const origin = `http://localhost:${port}`
  console.log(`edgemint: listening on ${origin}`)
  if (config?.dev) console.log(curlLine(origin))
}

function openRegistry({ storeUrl }: Config): Registry {
  return storeUrl === 'memory:' ? memoryRegistry() : sqliteRegistry(storeUrl.slice('sqlite:'.length))
}

const COMMANDS: Readonly<Record<string, string>> = {
  ISSUER: 'export ISSUER=https://tokens.example.com',
  SIGNING_KEYS:
    'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out signing-key.pem && export SIGNING_KEYS="$(cat signing-key.pem)"',
  STORE_URL: 'export STORE_URL=sqlite:.edgemint/edgemint.db',
  ACCESS_TOKEN_LIFETIME: 'export ACCESS_TOKEN_LIFETIME=1800',
  ACCESS_TOKEN_PROFILE: 'export ACCESS_TOKEN_PROFILE=rfc9068',
  PORT: 'export PORT=8080',
  DEV: 'export DEV=true',
}
