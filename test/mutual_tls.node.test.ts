import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { exportPKCS8, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import { base64Of, leaf, plain, self } from './support/certificates.ts'
import { startServer } from './support/process.ts'
import { fetchWith, startTlsProxy, type TlsProxy } from './support/tls_proxy.ts'

const STORE_URL = `sqlite:${join(mkdtempSync(join(tmpdir(), 'edgemint-')), 'edgemint.db')}`
const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const SIGNING_KEYS = await exportPKCS8(privateKey)

const { registry, close } = sqliteStores(STORE_URL.slice('sqlite:'.length), Date.now)
for (const client of [
  { client_id: 'by-ca', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'svc.example' },
  {
    client_id: 'by-self',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ kty: 'EC', x5c: [base64Of(self.certificate)] }] },
  },
]) {
  const record = clientRecord({ ...client, grant_types: ['client_credentials'] })
  await registry.put(clientKey(client.client_id), record)
}
await close()

async function grant(
  { origin }: TlsProxy,
  client_id: string,
  shown: typeof leaf | typeof self | typeof plain | undefined,
) {
  const server = { issuer: 'https://tokens.example', token_endpoint: `${origin}/token` }
  const options = { [oauth.customFetch]: fetchWith(shown) }
  const auth = oauth.TlsClientAuth()
  const response = await oauth.clientCredentialsGrantRequest(server, { client_id }, auth, {}, options)
  return oauth.processClientCredentialsResponse(server, { client_id }, response)
}

/** Starts a server that trusts a proxy on this machine, and such a proxy. */
async function start(command: string, isVerified: boolean, trusted = '127.0.0.1,::1') {
  const settings = { ISSUER: 'https://tokens.example', SIGNING_KEYS, STORE_URL }
  const proxied = { TRUSTED_PROXIES: trusted, CLIENT_CERT_VERIFIED: String(isVerified) }
  const server = await startServer((port) => ({
    command,
    environment: { PORT: `${port}`, ...settings, ...proxied },
  }))
  const proxy = await startTlsProxy(server.origin, isVerified)
  const stop = () => {
    proxy.stop()
    return server.stop()
  }
  return { proxy, server, stop }
}

describe('mutual TLS that ends at a proxy', () => {
  const refused = { error: 'invalid_client' }
  for (const command of [
    'deno run --allow-all src/index.ts',
    'deno serve --allow-all --port $PORT src/index.ts',
    'bun run src/index.ts',
    'node src/index.ts',
  ]) {
    test(`tls_client_auth: ${command}`, async () => {
      const { proxy, stop } = await start(command, true)
      try {
        assert.equal((await grant(proxy, 'by-ca', leaf)).token_type, 'bearer')
        await assert.rejects(grant(proxy, 'by-ca', plain), refused)
        await assert.rejects(grant(proxy, 'by-ca', self), /ECONNRESET|alert|hang up/)
      } finally {
        await stop()
      }
    })

    test(`self_signed_tls_client_auth: ${command}`, async () => {
      const { proxy, server, stop } = await start(command, false)
      try {
        assert.equal((await grant(proxy, 'by-self', self)).token_type, 'bearer')
        await assert.rejects(grant(proxy, 'by-self', leaf), refused)
        await assert.rejects(grant(proxy, 'by-self', undefined), refused)
        await assert.rejects(grant(proxy, 'by-ca', leaf), refused)
        const line = /"reason":"certificate_not_verified"/
        // Deno writes a line after the answer that it is about.
        for (let wait = 0; wait < 250 && !line.test(server.output()); wait++) await setTimeout(20)
        assert.match(server.output(), line)
      } finally {
        await stop()
      }
    })
  }

  test('a header from a sender that is not a trusted proxy is ignored, and the log reports it', async () => {
    const { proxy, server, stop } = await start('node src/index.ts', true, '192.0.2.1')
    try {
      await assert.rejects(grant(proxy, 'by-ca', leaf), refused)
      assert.match(server.output(), /"event":"client_cert_ignored","path":"\/token","peer":"/)
    } finally {
      await stop()
    }
  })
})
