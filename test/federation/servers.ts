/** edgemint as a process of each runtime, set up by its operator, and a client that presents a token. */

import assert from 'node:assert/strict'
import {
  type AuthorizationServer,
  allowInsecureRequests,
  type ClientAuth,
  clientCredentialsGrantRequest,
} from 'oauth4webapi'
import { generateKey } from '../../src/keys/key_set.ts'
import { KV_CACHE_SECONDS, startKv } from '../support/kv_model.ts'
import { type Running, startServer } from '../support/process.ts'
import { bundleWorker, serveWorker } from '../support/workerd.ts'

export const ISSUER = 'https://tokens.example'
export const SERVER: AuthorizationServer = { issuer: ISSUER }

const OPERATOR = 'operator-token-operator-token-operator'

const settings = {
  ISSUER,
  SIGNING_KEYS: JSON.stringify({ keys: [await generateKey('ES256')] }),
  REGISTRATION_TOKEN: OPERATOR,
}

export interface Started extends Running {
  /** Lets the time pass after which a change of a record counts: none in a process that made it, a minute on Workers. */
  settle(): void
}

async function startProcess(command: string): Promise<Started> {
  const environment = { ...settings, STORE_URL: 'memory:' }
  const running = await startServer((port) => ({ command, environment: { ...environment, PORT: `${port}` } }))
  return { ...running, settle: () => {} }
}

async function startWorkerd(): Promise<Started> {
  const kv = await startKv()
  const running = await serveWorker(bundleWorker(), settings, kv.port)
  const stop = async (): Promise<void> => {
    await running.stop()
    kv.close()
  }
  const settle = (): void => {
    kv.now += KV_CACHE_SECONDS
  }
  return { ...running, stop, settle }
}

/** How the server is started on each runtime; on workerd, the Worker that `wrangler deploy` would upload. */
export const RUNTIMES: Readonly<Record<string, () => Promise<Started>>> = {
  node: () => startProcess('exec node src/index.ts'),
  bun: () => startProcess('exec bun run src/index.ts'),
  deno: () => startProcess('exec deno run --allow-all src/index.ts'),
  workerd: startWorkerd,
}

/** Sends a request to the operator's API. Fails unless it succeeds. */
export async function operate({ origin }: Running, method: string, path: string, value: object): Promise<void> {
  const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
  const response = await fetch(origin + path, { method, headers, body: JSON.stringify(value) })
  const text = await response.text()
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
}

/** Asks for a token as a client of oauth4webapi. */
export function ask({ origin }: Running, client_id: string, auth: ClientAuth): Promise<Response> {
  const server = { ...SERVER, token_endpoint: `${origin}/token` }
  return clientCredentialsGrantRequest(
    server,
    { client_id },
    auth,
    { scope: 'deploy' },
    { [allowInsecureRequests]: true },
  )
}

const POLL_MILLISECONDS = 20

/** Runs `use`, and returns its result and the next line that the server then writes to its audit log. */
export async function audited<T>(server: Running, use: () => Promise<T>): Promise<[T, Record<string, unknown>]> {
  const before = linesOf(server).length
  const result = await use()
  for (;;) {
    const [line] = linesOf(server).slice(before)
    if (line !== undefined) return [result, JSON.parse(line)]
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS))
  }
}

/** Lines that are complete. */
function linesOf(server: Running): readonly string[] {
  return server
    .output()
    .split('\n')
    .slice(0, -1)
    .filter((line) => /"event":"(token_issued|request_refused)"/.test(line))
}
