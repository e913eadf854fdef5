import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint, decodeJwt, exportJWK, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { describe, test } from '#test'
import { type Running, startServer } from './support/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const client: oauth.Client = { client_id: 'test-client' }
const auth = oauth.ClientSecretPost('foobar')
const insecure = { [oauth.allowInsecureRequests]: true }

/** Servers in development mode have the client of the how-to. */
async function startDevelopment(command: string): Promise<Running> {
  const variables = join(folder, 'worker.vars')
  writeFileSync(variables, 'DEV=true\nDPOP_NONCE_REQUIRED=true\n')
  return startServer((port) => {
    const worker = `npx wrangler dev --port ${port} --persist-to ${folder} --env-file ${variables}`
    const settings = { PORT: `${port}`, STORE_URL: 'memory:', DEV: 'true', DPOP_NONCE_REQUIRED: 'true' }
    return command === 'workerd' ? { command: worker } : { command, environment: settings }
  })
}

async function useLibrary({ origin }: Running): Promise<void> {
  const issuer = new URL(origin)
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  const server = await oauth.processDiscoveryResponse(issuer, discovered)
  assert.ok(server.dpop_signing_alg_values_supported?.includes('ES256'))
  for (const alg of ['ES256', 'EdDSA', 'PS256'] as const) {
    const pair = await oauth.generateKeyPair(alg, { extractable: true })
    const dpop = oauth.DPoP(client, pair)
    const grant = async () => {
      const response = await oauth.clientCredentialsGrantRequest(server, client, auth, {}, { DPoP: dpop, ...insecure })
      return oauth.processClientCredentialsResponse(server, client, response)
    }
    // The first try is answered with a nonce, which the library keeps for the next.
    await assert.rejects(
      grant(),
      (error) => error instanceof oauth.ResponseBodyError && error.error === 'use_dpop_nonce',
    )
    const { token_type, access_token } = await grant()
    assert.equal(token_type, 'dpop')
    assert.deepEqual(decodeJwt(access_token)['cnf'], {
      jkt: await calculateJwkThumbprint(await exportJWK(pair.publicKey)),
    })
    assert.equal((await grant()).token_type, 'dpop')
  }
}

async function tryProofs({ origin }: Running): Promise<void> {
  const { privateKey, publicKey } = await oauth.generateKeyPair('ES256', { extractable: true })
  const stranger = await oauth.generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const prove = (claims: Record<string, unknown>, key = privateKey) =>
    new SignJWT({
      htm: 'POST',
      htu: `${origin}/token`,
      iat: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(key)
  const send = async (proof: string) => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'test-client',
      client_secret: 'foobar',
    })
    const response = await fetch(`${origin}/token`, { method: 'POST', headers: { DPoP: proof }, body })
    const { error } = (await response.json()) as { error?: string }
    return { status: response.status, error, nonce: response.headers.get('DPoP-Nonce') ?? '' }
  }
  const { nonce, error } = await send(await prove({}))
  assert.equal(error, 'use_dpop_nonce')
  const good = await prove({ nonce })
  assert.equal((await send(good)).status, 200)
  const wrong = [
    good,
    await prove({ nonce, htu: `${origin}/other` }),
    await prove({ nonce, htm: 'GET' }),
    await prove({ nonce, iat: Math.floor(Date.now() / 1000) - 3600 }),
    await prove({ nonce }, stranger.privateKey),
  ]
  for (const proof of wrong) {
    const { status, error: told } = await send(proof)
    assert.deepEqual([status, told], [400, 'invalid_dpop_proof'])
  }
  assert.equal((await send(await prove({ nonce: 'made-up' }))).error, 'use_dpop_nonce')
}

describe('DPoP by oauth4webapi, with nonces', () => {
  for (const command of ['deno run --allow-all src/index.ts', 'bun run src/index.ts', 'node src/index.ts', 'workerd']) {
    test(command, async () => {
      const server = await startDevelopment(command)
      try {
        await useLibrary(server)
        await tryProofs(server)
      } catch (error) {
        throw new Error(server.output().slice(-3000), { cause: error })
      } finally {
        await server.stop()
      }
    })
  }
})
