import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import * as oauth from 'oauth4webapi'
import { describe, test } from '#test'
import { operate, startIssuer, startWorker } from './support/issuer.ts'
import type { Running } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const RS = 'https://rs.example'
const BCRYPT_FOOBAR = '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO'
const insecure = { [oauth.allowInsecureRequests]: true }
const auth = oauth.ClientSecretPost('foobar')

async function seed(server: Running): Promise<void> {
  const put = (path: string, body: object) => operate(server, 'PUT', path, body)
  const client_secrets = [{ id: '1', hash: BCRYPT_FOOBAR }]
  await put(`/resources/${encodeURIComponent(RS)}`, {})
  await put('/register/client', { client_secrets, resources: [RS] })
  await put('/register/rs', { client_secrets, resources: [RS], grant_types: [], introspection: true })
}

/** As the libraries see a server; the calls go to `at`. */
async function serverOf({ origin }: Running, at: Running): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(origin)
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  const server = await oauth.processDiscoveryResponse(issuer, discovered)
  return JSON.parse(JSON.stringify(server).replaceAll(`"${origin}/`, `"${at.origin}/`))
}

async function useEach(servers: readonly Running[]): Promise<void> {
  const [first] = servers
  assert.ok(first !== undefined)
  await seed(first)
  for (const [index, here] of servers.entries()) {
    const server = await serverOf(first, here)
    const elsewhere = await serverOf(first, servers.at(index - 1) ?? first)
    const client = { client_id: 'client' }
    const granted = await oauth.clientCredentialsGrantRequest(server, client, auth, { resource: RS }, insecure)
    const { access_token } = await oauth.processClientCredentialsResponse(server, client, granted)
    const introspect = async (signed: boolean): Promise<boolean> => {
      const rs = { client_id: 'rs', ...(signed && { introspection_signed_response_alg: 'ES256' }) }
      const options = { requestJwtResponse: signed, ...insecure }
      const response = await oauth.introspectionRequest(elsewhere, rs, auth, access_token, options)
      return (await oauth.processIntrospectionResponse(server, rs, response)).active
    }
    assert.deepEqual([await introspect(false), await introspect(true)], [true, true])
    const revoked = await oauth.revocationRequest(server, client, auth, access_token, insecure)
    await oauth.processRevocationResponse(revoked)
    assert.deepEqual([await introspect(false), await introspect(true)], [false, false], `revoked at ${here.origin}`)
  }
}

const FLEET = ['node src/index.ts', 'bun run src/index.ts', 'deno run --allow-all src/index.ts']
const redis = await startRedis()
after(() => redis?.stop())

describe('revoked in one process, inactive in another at the next request; by oauth4webapi, signed answers too', () => {
  const ways: readonly (readonly [name: string, begin: () => Promise<Running[]>])[] = [
    ['Node, Bun and Deno on SQLite', () => startIssuer(FLEET, `sqlite:${join(folder, 'edgemint.db')}`)],
    ...(redis === undefined ? [] : [['Node, Bun and Deno on Redis', () => startIssuer(FLEET, redis.url)] as const]),
    ['workerd, through its Durable Object', startWorker],
  ]
  for (const [name, begin] of ways) {
    test(name, async () => {
      const servers = await begin()
      try {
        await useEach(servers)
      } catch (error) {
        throw new Error(servers.map((server) => server.output().slice(-2000)).join('\n'), { cause: error })
      } finally {
        for (const server of servers) await server.stop()
      }
    })
  }
})
