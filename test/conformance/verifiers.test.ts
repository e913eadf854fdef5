import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { jwk } from 'hono/jwk'
import { createRemoteJWKSet, customFetch, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { describe, test } from '#test'
import { readKeyring } from '../../src/keys/keyring.ts'
import { createWorld, ISSUER, type World } from '../support/world.ts'

const AUDIENCE = 'https://rs.example'
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const
const now = () => Math.floor(Date.now() / 1000)

/** Verifies a token as a resource server does; rejects when the token is refused. */
type Verify = (token: string, app: World['app'], alg: string) => Promise<unknown>

const fetchOf = (app: World['app']) => async (url: string | URL) => app.request(String(url))

const VERIFIERS: Readonly<Record<string, Verify>> = {
  "jose's jwtVerify": (token, app) => {
    const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), { [customFetch]: fetchOf(app) })
    return jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' })
  },
  "Hono's jwk": async (token, app, alg) => {
    const { keys } = (await (await app.request(`${ISSUER}/.well-known/jwks.json`)).json()) as { keys: [] }
    const verification = { iss: ISSUER, aud: AUDIENCE, typ: 'at+jwt' }
    const guarded = new Hono()
    guarded.use(jwk({ keys, alg: [alg as 'RS256'], verification }))
    guarded.get('/', (c) => c.text('in'))
    const response = await guarded.request('/', { headers: { Authorization: `Bearer ${token}` } })
    assert.equal(response.status, 200)
  },
  "oauth4webapi's validateJwtAccessToken": async (token, app) => {
    const server = await oauth
      .discoveryRequest(new URL(ISSUER), { algorithm: 'oauth2', [oauth.customFetch]: fetchOf(app) })
      .then((response) => oauth.processDiscoveryResponse(new URL(ISSUER), response))
    const request = new Request(AUDIENCE, { headers: { Authorization: `Bearer ${token}` } })
    return oauth.validateJwtAccessToken(server, request, AUDIENCE, { [oauth.customFetch]: fetchOf(app) })
  },
}

async function worldOf(alg: string, features: Parameters<typeof createWorld>[0] = {}) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const set = JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), alg }] })
  const keyring = await readKeyring(set, { lifetimeSeconds: 1800 })
  const { app } = await createWorld({ keyring, now, ...features })
  const grant = async (more: Record<string, string> = { resource: AUDIENCE }) => {
    const form = { grant_type: 'client_credentials', client_id: 'test-client', client_secret: 'foobar', ...more }
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body: new URLSearchParams(form) })
    return ((await response.json()) as { access_token: string }).access_token
  }
  return { app, grant, keyring }
}

function withPayload(token: string, change: Record<string, unknown>): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = { ...JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))), ...change }
  const encoded = btoa(JSON.stringify(claims)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  return [header, encoded, signature].join('.')
}

for (const alg of ALGORITHMS) {
  const world = worldOf(alg)
  for (const [name, verify] of Object.entries(VERIFIERS)) {
    describe(`${name}, ${alg}`, () => {
      test('accepts a token', async () => {
        const { app, grant } = await world
        await verify(await grant(), app, alg)
      })

      test('refuses a token with a changed payload', async () => {
        const { app, grant } = await world
        await assert.rejects(verify(withPayload(await grant(), { scope: 'admin' }), app, alg))
      })

      test('refuses a token for another audience', async () => {
        const { app, grant } = await world
        await assert.rejects(verify(await grant({ resource: 'urn:example:rs' }), app, alg))
        await assert.rejects(verify(await grant({}), app, alg))
      })

      test('refuses a token of another typ', async () => {
        const { keyring } = await world
        const { app, grant } = await worldOf(alg, { keyring, accessTokenProfile: 'fosite' })
        await assert.rejects(verify(await grant(), app, alg))
      })

      test('refuses an expired token', async () => {
        const { keyring } = await world
        const { app, grant } = await worldOf(alg, { keyring, now: () => now() - 3600 })
        await assert.rejects(verify(await grant(), app, alg))
      })
    })
  }
}

describe('the published keys', () => {
  for (const alg of ALGORITHMS) {
    test(`have kid, alg and use, hold no private member, and answer 304: ${alg}`, async () => {
      const { app } = await worldOf(alg)
      const url = `${ISSUER}/.well-known/jwks.json`
      const response = await app.request(url)
      const { keys } = (await response.json()) as { keys: Record<string, unknown>[] }
      assert.equal(keys.length, 1)
      for (const key of keys) {
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) assert.equal(member in key, false)
        assert.deepEqual([key['alg'], key['use'], typeof key['kid']], [alg, 'sig', 'string'])
      }
      assert.match(response.headers.get('Cache-Control') ?? '', /^public, max-age=\d+$/)
      const ETag = response.headers.get('ETag') ?? ''
      assert.notEqual(ETag, '')
      assert.equal((await app.request(url, { headers: { 'If-None-Match': ETag } })).status, 304)
    })
  }
})
