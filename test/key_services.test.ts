import assert from 'node:assert/strict'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { openKeyServices } from '../src/key_services.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { createServer } from '../src/start.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { AWS_CREDENTIALS, AWS_KEY, fakeAws } from './support/aws_server.ts'
import { fakeVault, VAULT_KEY, VAULT_TOKEN } from './support/vault_server.ts'
import { NOW } from './support/world.ts'

const ISSUER = 'https://tokens.example'
const secret = generateSecret()
const client = {
  client_id: 'a',
  client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
  grant_types: ['client_credentials'],
  scope: 'read write',
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A production server whose keys are in a service. */
async function start(environment: Readonly<Record<string, string>>, fetch: Fetch) {
  const clock = { now: NOW }
  const stores = memoryStores(() => clock.now)
  await stores.registry.put(clientKey('a'), clientRecord(client))
  const [lines, warnings]: [string[], string[]] = [[], []]
  const server = await createServer({
    environment: { ISSUER, ...environment },
    fetch,
    openStores: async () => stores,
    storeSetting: 'STORE_URL',
    commandFor: (setting) => `set ${setting}`,
    now: () => clock.now,
    write: (line) => lines.push(line),
    warn: (line) => warnings.push(line),
  })
  const get = (path: string) => server.app.request(`${ISSUER}${path}`)
  const token = (scope = 'read') =>
    server.app.request(`${ISSUER}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`a:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    })
  return { clock, get, lines, server, token, warnings }
}

const noFetch: Fetch = () => Promise.reject(new Error('no request is expected'))

describe('openKeyServices', () => {
  const settings = {
    issuer: ISSUER,
    signingKeys: undefined,
    keyEncryptionKeys: undefined,
    accessTokenLifetime: 1800,
    dpopNonceRequired: false,
  }
  const local = `local:${'A'.repeat(43)}`

  test('has nothing to do without URLs', async () => {
    const environment = { VAULT_TOKEN: 'two words' }
    const opened = await openKeyServices({ ...settings, keyEncryptionKeys: local }, { environment, now: () => NOW })
    assert.deepEqual(opened, { secret: undefined })
  })

  test('has key-encryption keys decrypted when they are first needed', async () => {
    const vault = await fakeVault('ES256', NOW)
    const host = { environment: { VAULT_TOKEN }, fetch: vault.fetch, now: () => NOW }
    const context = btoa(ISSUER)
    const ciphertext = `vault:v1:${btoa(`${context} ${btoa('k'.repeat(32))}`)}`
    const keyEncryptionKeys = `${local},a:${VAULT_KEY}?ciphertext=${ciphertext}`
    const opened = await openKeyServices({ ...settings, keyEncryptionKeys }, host)
    assert.ok('unwrapKeyEncryptionKeys' in opened && opened.secret === VAULT_TOKEN)
    assert.equal(vault.paths.length, 0)
    assert.equal(await opened.unwrapKeyEncryptionKeys(), `${local},a:${btoa('k'.repeat(32)).replace('=', '')}`)
    assert.equal(vault.paths.length, 1)
  })

  test('names the setting that is wrong', async () => {
    const host = { environment: { VAULT_TOKEN }, now: () => NOW }
    const opened = await openKeyServices({ ...settings, keyEncryptionKeys: `a:${VAULT_KEY}` }, host)
    const problem = 'has a URL without a ciphertext; edgemint keys wrap makes one'
    assert.deepEqual(opened, [{ setting: 'KEY_ENCRYPTION_KEYS', problem }])
  })
})

describe('a server whose signing keys are in a service', () => {
  const services = [
    ['Vault', { SIGNING_KEYS: VAULT_KEY, VAULT_TOKEN }, () => fakeVault('ES256', NOW - 10)],
    ['AWS', { SIGNING_KEYS: AWS_KEY, ...AWS_CREDENTIALS }, () => fakeAws('ES256')],
  ] as const
  for (const [name, environment, serve] of services) {
    test(`${name}: issues a token that verifies with the published keys, and asks nothing at the start`, async () => {
      const service = await serve()
      let requests = 0
      const { get, token, lines, warnings } = await start(environment, (url, init) => {
        requests++
        return service.fetch(url, init)
      })
      assert.deepEqual([requests, warnings], [0, []])
      const response = await token()
      assert.equal(response.status, 200)
      const { access_token } = await response.json()
      const keys = createLocalJWKSet(await (await get('/.well-known/jwks.json')).json())
      const { payload } = await jwtVerify(access_token, keys, { issuer: ISSUER, currentDate: new Date(NOW * 1000) })
      assert.equal(payload['client_id'], 'a')
      assert.equal(requests, 2)
      assert.equal((await get('/readyz')).status, 200)
      assert.doesNotMatch(lines.join(), /hvs\.|EXAMPLEKEY|session-token/)
    })
  }

  test('with token reuse, there is one signature for each distinct token', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { token } = await start({ SIGNING_KEYS: VAULT_KEY, VAULT_TOKEN, TOKEN_REUSE_SECONDS: '60' }, vault.fetch)
    const scopes = ['read', 'write', 'read write', 'read', 'write', 'read', 'read', 'read']
    for (const scope of [...scopes, ...scopes]) assert.equal((await token(scope)).status, 200)
    assert.equal(vault.paths.filter((path) => path.includes('/sign/')).length, 3)
  })

  test('while the service fails, tokens are 503 with Retry-After, and the event says why without a credential', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { get, lines, server, token } = await start({ SIGNING_KEYS: VAULT_KEY, VAULT_TOKEN }, vault.fetch)
    vault.answer = () => Response.json({ errors: [VAULT_TOKEN] }, { status: 429, headers: { 'Retry-After': '9' } })
    for (const response of [await token(), await get('/.well-known/jwks.json')]) {
      assert.deepEqual([response.status, response.headers.get('Retry-After')], [503, '9'])
      assert.equal((await response.json()).error, 'temporarily_unavailable')
    }
    assert.equal((await get('/livez')).status, 200)
    assert.equal((await get('/readyz')).status, 503)
    assert.equal((await server.readReadiness())?.isSigning, false)
    assert.match(lines.join(), /"reason":"key_service_failed".*vault\.example:8200: status 429/)
    assert.doesNotMatch(lines.join(), /hvs\./)
  })

  test('a nonce for DPoP is derived from the credential and not from the URL, which is no secret', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const proof = await new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti: 'x', iat: NOW })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(publicKey) })
      .sign(privateKey)
    const nonceOf = async (environment: Readonly<Record<string, string>>) => {
      const { server } = await start(
        { SIGNING_KEYS: VAULT_KEY, DPOP_NONCE_REQUIRED: 'true', ...environment },
        vault.fetch,
      )
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      const headers = { Authorization: `Basic ${btoa(`a:${secret}`)}`, DPoP: proof }
      return (await server.app.request(`${ISSUER}/token`, { method: 'POST', headers, body })).headers.get('DPoP-Nonce')
    }
    const [one, same, other] = [
      await nonceOf({ VAULT_TOKEN }),
      await nonceOf({ VAULT_TOKEN, SIGNING_KEYS: `${VAULT_KEY}?alg=ES256` }),
      await nonceOf({ VAULT_TOKEN: 'hvs.another' }),
    ]
    assert.ok(one !== null && other !== null)
    assert.deepEqual([one === same, one === other], [true, false])
  })

  test('stored keys are encrypted under a key that the service decrypts, once', async () => {
    const vault = await fakeVault('ES256', NOW)
    const key = btoa('k'.repeat(32))
    const keyEncryptionKeys = `a:${VAULT_KEY}?ciphertext=vault:v1:${btoa(`${btoa(ISSUER)} ${key}`)}`
    const { get, lines, token, warnings } = await start(
      { KEY_ENCRYPTION_KEYS: keyEncryptionKeys, VAULT_TOKEN },
      vault.fetch,
    )
    assert.deepEqual([warnings, vault.paths], [[], []])
    vault.answer = () => Response.json({}, { status: 503 })
    assert.equal((await token()).status, 503)
    assert.match(lines.join(), /vault\.example:8200: status 503/)
    vault.answer = undefined
    const again = await start({ KEY_ENCRYPTION_KEYS: keyEncryptionKeys, VAULT_TOKEN }, vault.fetch)
    vault.paths.length = 0
    const { access_token } = await (await again.token()).json()
    const keys = createLocalJWKSet(await (await again.get('/.well-known/jwks.json')).json())
    await jwtVerify(access_token, keys, { issuer: ISSUER, currentDate: new Date(NOW * 1000) })
    assert.equal((await again.token()).status, 200)
    assert.deepEqual(vault.paths, ['/v1/team/transit/decrypt/edgemint'])
    assert.equal((await get('/livez')).status, 200)
    assert.doesNotMatch([...lines, ...again.lines].join(), new RegExp(`hvs\\.|${key.slice(0, 20)}`))
  })

  const wrong: readonly [environment: Readonly<Record<string, string>>, warning: RegExp][] = [
    [{ SIGNING_KEYS: VAULT_KEY }, /^edgemint: VAULT_TOKEN is missing\. Set it: set VAULT_TOKEN$/],
    [{ SIGNING_KEYS: VAULT_KEY, VAULT_TOKEN: 'hvs.x y' }, /^edgemint: VAULT_TOKEN must be printable ASCII/],
    [
      { SIGNING_KEYS: VAULT_KEY, KEY_ENCRYPTION_KEYS: `a:${'A'.repeat(43)}`, VAULT_TOKEN },
      /^edgemint: KEY_ENCRYPTION_KEYS must not be set together with URLs/,
    ],
    [{ SIGNING_KEYS: AWS_KEY, AWS_ACCESS_KEY_ID: 'id' }, /^edgemint: AWS_SECRET_ACCESS_KEY is missing/],
    [{ SIGNING_KEYS: 'vault://vault.example/mint', VAULT_TOKEN }, /^edgemint: SIGNING_KEYS has a vault URL whose path/],
    [
      { SIGNING_KEYS: 'vault+http://127.0.0.1:8200/transit/mint', DPOP_NONCE_REQUIRED: 'true' },
      /^edgemint: VAULT_TOKEN is missing; DPoP nonces are derived from it/,
    ],
  ]
  for (const [environment, warning] of wrong) {
    test(`says ${warning.source.slice(11, 50)}, and answers 503`, async () => {
      const { token, warnings } = await start(environment, noFetch)
      assert.equal((await token()).status, 503)
      assert.match(warnings.join('\n'), warning)
      assert.doesNotMatch(warnings.join('\n'), /hvs\./)
    })
  }
})
