/** Servers of one issuer: several processes on one store, or the Worker with its Durable Object. */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { type Running, startServer } from './process.ts'

export const REGISTRATION_TOKEN = 'operator-token-operator-token-operator'

const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const SIGNING_KEYS = JSON.stringify({ keys: [await exportJWK(privateKey)] })

/** Starts servers of one issuer, which is the first of them. */
export async function startIssuer(commands: readonly string[], STORE_URL: string): Promise<Running[]> {
  const start = (command: string, issuer?: string): Promise<Running> =>
    startServer((port) => {
      const ISSUER = issuer ?? `http://localhost:${port}`
      return { command, environment: { ISSUER, SIGNING_KEYS, REGISTRATION_TOKEN, STORE_URL, PORT: `${port}` } }
    })
  const [command = '', ...others] = commands
  const first = await start(command)
  return [first, ...(await Promise.all(others.map((other) => start(other, first.origin))))]
}

/** Starts `wrangler dev` with storage of its own. */
export async function startWorker(): Promise<Running[]> {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  const file = join(folder, 'worker.vars')
  const server = await startServer((port) => {
    const lines = [
      `ISSUER=http://localhost:${port}`,
      `SIGNING_KEYS='${SIGNING_KEYS}'`,
      `REGISTRATION_TOKEN=${REGISTRATION_TOKEN}`,
    ]
    writeFileSync(file, lines.join('\n'))
    return { command: `npx wrangler dev --port ${port} --persist-to ${folder} --env-file ${file}` }
  })
  return [server]
}

/** Sends a request with the operator's token and JSON; fails unless it succeeds. */
export async function operate({ origin }: Running, method: string, path: string, body: object): Promise<void> {
  const headers = { Authorization: `Bearer ${REGISTRATION_TOKEN}`, 'Content-Type': 'application/json' }
  const response = await fetch(origin + path, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  await response.body?.cancel()
}
