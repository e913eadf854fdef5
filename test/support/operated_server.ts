/** A real server with an operator's token, and the command line that talks to it. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CryptoKey, exportPKCS8, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { type Ended, edgemint } from './cli.ts'
import { type Running, startServer } from './process.ts'

export const TOKEN = 'operator-token-operator-token-operator'
export const CACHE_SECONDS = '1'

export const folder: string = mkdtempSync(join(tmpdir(), 'edgemint-'))
const pair = await generateKeyPair('ES256', { extractable: true })
export const privateKey: CryptoKey = pair.privateKey

/** Starts a process runtime with a database of its own. */
export async function startOperated(command = 'node src/index.ts'): Promise<Running> {
  const SIGNING_KEYS = await exportPKCS8(privateKey)
  return startServer((port) => ({
    command,
    environment: {
      ISSUER: `http://localhost:${port}`,
      SIGNING_KEYS,
      PORT: `${port}`,
      REGISTRATION_TOKEN: TOKEN,
      CACHE_SECONDS,
      STORE_URL: `sqlite:${join(folder, `${port}.db`)}`,
    },
  }))
}

/** Runs a command as the operator of the server. */
export function operate({ origin }: Running, ...words: readonly string[]): Promise<Ended> {
  return edgemint(words, { EDGEMINT_URL: origin, EDGEMINT_TOKEN: TOKEN })
}

/** Whether the client gets a token. */
export async function works({ origin }: Running, client_id: string, secret: string): Promise<boolean> {
  const server = { issuer: origin, token_endpoint: `${origin}/token` }
  const options = { [oauth.allowInsecureRequests]: true }
  const auth = oauth.ClientSecretPost(secret)
  const response = await oauth.clientCredentialsGrantRequest(server, { client_id }, auth, {}, options)
  return response.status === 200
}
