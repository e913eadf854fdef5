import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { createRemoteJWKSet, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import type { Stores } from '../src/stores/contracts.ts'
import { redisStores } from '../src/stores/redis.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import type { Client, Jwk } from '../src/types.ts'
import { startMember } from './support/fleet.ts'
import { type Running, startServer } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const signing = await generateKeyPair('RS256', { extractable: true })

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
const generated = generateSecret()
const keyPairs = await Promise.all(ALGORITHMS.map((alg) => generateKeyPair(alg, { extractable: true })))
const method = { grant_types: ['client_credentials'], scope: 'read' }
/** RFC 9864 §2.2: two names of one algorithm, in a key, in the metadata and in an assertion. */
const ED_NAMES = ['EdDSA', 'Ed25519'] as const
const ed = await generateKeyPair('EdDSA', { extractable: true })
const edJwk = (await exportJWK(ed.publicKey)) as Jwk

const clients: readonly Client[] = [
  { ...method, client_id: 'generated', client_secrets: [{ id: '1', hash: await hashSecret(generated) }] },
  { ...method, client_id: 'chosen', client_secrets: [{ id: '1', hash: await hashSecret('foobar') }] },
  {
    ...method,
    client_id: 'by-key',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: await Promise.all(keyPairs.map(async ({ publicKey }) => (await exportJWK(publicKey)) as Jwk)) },
  },
  ...ED_NAMES.map((alg) => ({
    ...method,
    client_id: `by-${alg}`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [{ ...edJwk, alg }] },
  })),
]

async function seed({ registry }: Pick<Stores, 'registry'>): Promise<void> {
  for (const client of clients) await registry.put(clientKey(client.client_id), clientRecord(client))
}

/** A request that the library signs itself; http on a loopback host is fine for it when asked. */
const insecure = { [oauth.allowInsecureRequests]: true }

async function grant(server: oauth.AuthorizationServer, client_id: string, auth: oauth.ClientAuth): Promise<string> {
  const client = { client_id }
  const parameters = new URLSearchParams({ scope: 'read' })
  const response = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, insecure)
  const { access_token, expires_in, scope } = await oauth.processClientCredentialsResponse(server, client, response)
  assert.equal(expires_in, 1800)
  assert.equal(scope, 'read')
  return access_token
}

async function useClients({ origin }: Running): Promise<void> {
  const jwks_uri = `${origin}/.well-known/jwks.json`
  const server = { issuer: origin, token_endpoint: `${origin}/token`, jwks_uri }
  const tokens = [
    await grant(server, 'generated', oauth.ClientSecretBasic(generated)),
    await grant(server, 'generated', oauth.ClientSecretPost(generated)),
    await grant(server, 'chosen', oauth.ClientSecretBasic('foobar')),
    await grant(server, 'chosen', oauth.ClientSecretPost('foobar')),
  ]
  for (const { privateKey } of keyPairs) {
    tokens.push(await grant(server, 'by-key', oauth.PrivateKeyJwt(privateKey)))
    tokens.push(await openidGrant(server, 'by-key', openid.PrivateKeyJwt(privateKey)))
  }
  for (const alg of ED_NAMES) {
    // Both libraries write Ed25519 by themselves.
    const rename = (header: Record<string, unknown>) => {
      header['alg'] = alg
    }
    for (const client_id of ED_NAMES.map((name) => `by-${name}`)) {
      tokens.push(
        await grant(server, client_id, oauth.PrivateKeyJwt(ed.privateKey, { [oauth.modifyAssertion]: rename })),
      )
      tokens.push(
        await openidGrant(server, client_id, openid.PrivateKeyJwt(ed.privateKey, { [openid.modifyAssertion]: rename })),
      )
    }
  }
  tokens.push(await openidGrant(server, 'generated', openid.ClientSecretBasic(generated)))
  tokens.push(await openidGrant(server, 'generated', openid.ClientSecretPost(generated)))
  const keys = createRemoteJWKSet(new URL(jwks_uri))
  for (const token of tokens) await jwtVerify(token, keys, { issuer: origin, audience: origin, typ: 'at+jwt' })

  await assert.rejects(grant(server, 'generated', oauth.ClientSecretPost(generateSecret())), {
    error: 'invalid_client',
  })
  await assert.rejects(grant(server, 'test-client', oauth.ClientSecretPost('foobar')), { error: 'invalid_client' })
  await assert.rejects(grant(server, 'by-key', oauth.ClientSecretPost('foobar')), { error: 'invalid_client' })
  const stranger = await generateKeyPair('ES256')
  await assert.rejects(grant(server, 'by-key', oauth.PrivateKeyJwt(stranger.privateKey)), { error: 'invalid_client' })
}

async function openidGrant(server: openid.ServerMetadata, client_id: string, auth: openid.ClientAuth): Promise<string> {
  const config = new openid.Configuration(server, client_id, {}, auth)
  openid.allowInsecureRequests(config)
  return (await openid.clientCredentialsGrant(config, { scope: 'read' })).access_token
}

/** Starts a server whose issuer is its own origin. */
async function start(command: (port: number) => string, environment: Record<string, string> = {}): Promise<Running> {
  const SIGNING_KEYS = await exportPKCS8(signing.privateKey)
  return startServer((port) => ({
    command: command(port),
    environment: { PORT: `${port}`, ISSUER: `http://localhost:${port}`, SIGNING_KEYS, ...environment },
  }))
}

async function whileRunning(servers: readonly Running[], use: () => Promise<void>): Promise<void> {
  try {
    await use()
  } catch (error) {
    throw new Error(servers.map((server) => server.output().slice(-3000)).join('\n'), { cause: error })
  } finally {
    for (const server of servers) await server.stop()
  }
}

/** 1,000 requests with one assertion, spread over servers that share a ledger. */
async function replay(servers: readonly Running[], audience: string): Promise<void> {
  const [, es256] = keyPairs
  assert.ok(es256 !== undefined)
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  // The library makes the assertion; it is then sent a thousand times.
  await oauth.PrivateKeyJwt(es256.privateKey)({ issuer: audience }, { client_id: 'by-key' }, body, new Headers())
  const text = body.toString()
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const statuses: number[] = []
  const sendSome = async (server: Running, times: number): Promise<void> => {
    for (let index = 0; index < times; index++) {
      const response = await fetch(`${server.origin}/token`, { method: 'POST', headers, body: text })
      await response.body?.cancel()
      statuses.push(response.status)
    }
  }
  const lanes = 20
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) => sendSome(servers[lane % servers.length] as Running, 1000 / lanes)),
  )
  assert.equal(statuses.length, 1000)
  assert.equal(statuses.filter((status) => status === 200).length, 1)
  assert.equal(statuses.filter((status) => status === 401).length, 999)
}

const ways: readonly [name: string, command: (port: number) => string][] = [
  ['deno run', () => 'deno run --allow-all --unstable-kv src/index.ts'],
  ['deno serve', (port) => `deno serve --allow-all --unstable-kv --port ${port} src/index.ts`],
  ['bun', () => 'bun run src/index.ts'],
  ['node', () => 'node src/index.ts'],
]
const redis = await startRedis()
after(() => redis?.stop())

describe('in production: oauth4webapi and openid-client by basic, post and private_key_jwt', () => {
  const file = join(folder, 'edgemint.db')
  for (const [name, command] of ways) {
    test(`${name} on SQLite`, async () => {
      await seed(sqliteStores(file, Date.now))
      const server = await start(command, { STORE_URL: `sqlite:${file}` })
      await whileRunning([server], () => useClients(server))
    })
  }

  for (const [name, command] of redis === undefined ? [] : ways) {
    test(`${name} on Redis`, async () => {
      const stores = redisStores(redis?.url ?? '', Date.now)
      await seed(stores)
      await stores.close()
      const server = await start(command, { STORE_URL: redis?.url ?? '' })
      await whileRunning([server], () => useClients(server))
    })
  }

  test('deno run on Deno KV', async () => {
    const url = `denokv:${join(folder, 'edgemint.kv')}`
    const member = startMember('deno', url)
    try {
      for (const client of clients) await member.ask('put', clientKey(client.client_id), clientRecord(client))
    } finally {
      member.kill()
    }
    const server = await start(ways[0]?.[1] ?? String, { STORE_URL: url })
    await whileRunning([server], () => useClients(server))
  })
})

describe('in production, on workerd', () => {
  test('both libraries; and of 1,000 tries with one assertion one is accepted', async () => {
    const entries = clients.map((client) => ({ key: clientKey(client.client_id), value: clientRecord(client) }))
    const bulk = join(folder, 'bulk.json')
    writeFileSync(bulk, JSON.stringify(entries))
    await run('wrangler', ['kv', 'bulk', 'put', bulk, '--binding', 'CLIENTS', '--local', '--persist-to', folder])
    const jwks = JSON.stringify({ keys: [await exportJWK(signing.privateKey)] })
    const variables = join(folder, 'production.vars')
    const server = await startServer((port) => {
      writeFileSync(variables, `ISSUER=http://localhost:${port}\nSIGNING_KEYS='${jwks}'\n`)
      return { command: `npx wrangler dev --port ${port} --persist-to ${folder} --env-file ${variables}` }
    })
    await whileRunning([server], async () => {
      await useClients(server)
      await replay([server], server.origin)
    })
  })
})

if (redis !== undefined) {
  describe('in production, a fleet of four processes on one Redis', () => {
    test('of 1,000 tries with one assertion one is accepted', async () => {
      const environment = { ISSUER: 'https://tokens.example', STORE_URL: redis.url }
      const fleet = ['bun', 'bun', 'node', 'deno run'].map((name) => new Map(ways).get(name) ?? String)
      const servers = await Promise.all(fleet.map((command) => start(command, environment)))
      await whileRunning(servers, () => replay(servers, environment.ISSUER))
    })
  })
}
