import assert from 'node:assert/strict'
import { calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { type Keyring, signingKeyOf } from '../../src/keys/keyring.ts'
import { ANNOUNCE_SECONDS } from '../../src/keys/rotation_plan.ts'
import { readCredentials } from '../../src/kms/credentials.ts'
import type { KeyServiceOptions } from '../../src/kms/open_key.ts'
import { readSigningKeySources, remoteKeyring } from '../../src/kms/remote_keyring.ts'
import { serviceTransport } from '../../src/kms/transport.ts'
import { causeText } from '../../src/lib/cause.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import { AWS_CREDENTIALS, AWS_KEY, fakeAws } from '../support/aws_server.ts'
import { fakeVault, VAULT_KEY, VAULT_TOKEN } from '../support/vault_server.ts'
import { NOW } from '../support/world.ts'

const environment = { VAULT_TOKEN, ...AWS_CREDENTIALS }

/** A keyring of SIGNING_KEYS, and a clock. */
async function open(signingKeys: string, fetch: Parameters<typeof serviceTransport>[0]['fetch']) {
  const clock = { now: NOW }
  const sources = await readSigningKeySources(signingKeys)
  const credentials = readCredentials(
    sources.urls.map(({ key }) => key),
    environment,
  )
  assert.ok(!Array.isArray(credentials))
  const services = { credentials, call: serviceTransport({ fetch }), now: () => clock.now } as KeyServiceOptions
  return { clock, keyring: remoteKeyring(sources, { lifetimeSeconds: 1800 }, services) }
}

const token = async (keyring: Keyring, now: number) =>
  signJwt({ sub: 'a' }, 'at+jwt', signingKeyOf(await keyring.at(now)))
const kidsAt = async (keyring: Keyring, now: number) => (await keyring.at(now)).published.keys.map(({ kid }) => kid)
const signerAt = async (keyring: Keyring, now: number) => signingKeyOf(await keyring.at(now)).kid

async function verify(jwt: string, keyring: Keyring, now: number) {
  const { keys } = (await keyring.at(now)).published
  const { protectedHeader } = await compactVerify(jwt, async ({ kid, alg }) => {
    const jwk = keys.find((key) => key.kid === kid)
    assert.ok(jwk !== undefined)
    return importJWK(jwk, String(alg))
  })
  assert.equal(protectedHeader.kid, await calculateJwkThumbprint(keys[0] ?? {}))
}

const isFailure = (cause: RegExp, retryAfter: string) => (error: unknown) => {
  assert.ok(error instanceof OAuthError)
  assert.deepEqual([error.status, error.reason, error.headers['Retry-After']], [503, 'key_service_failed', retryAfter])
  assert.match(causeText(error.cause), cause)
  assert.doesNotMatch(`${causeText(error)} ${JSON.stringify(error)}`, /hvs\.|EXAMPLEKEY|session-token/)
  return true
}

describe('remoteKeyring', () => {
  for (const alg of ['ES256', 'RS256']) {
    test(`Vault signs ${alg}; the versions are read once, and each token is a signature`, async () => {
      const vault = await fakeVault(alg, NOW - 10)
      const { keyring } = await open(`${VAULT_KEY}?alg=${alg}`, vault.fetch)
      assert.deepEqual(keyring.algorithms, [alg])
      for (const jwt of await Promise.all([token(keyring, NOW), token(keyring, NOW), token(keyring, NOW)]))
        await verify(jwt, keyring, NOW)
      const reads = vault.paths.filter((path) => path.includes('/keys/'))
      assert.deepEqual([reads.length, vault.paths.length], [1, 4])
    })

    test(`AWS signs ${alg}`, async () => {
      const aws = await fakeAws(alg)
      const { keyring } = await open(`${AWS_KEY}?alg=${alg}`, aws.fetch)
      await verify(await token(keyring, NOW), keyring, NOW)
      await verify(await token(keyring, NOW), keyring, NOW)
      assert.deepEqual(aws.operations, ['GetPublicKey', 'Sign', 'Sign'])
    })
  }

  test('a new version is published when it is seen, signs after a day, and the old one is kept for its tokens', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { keyring, clock } = await open(VAULT_KEY, vault.fetch)
    const [first] = await kidsAt(keyring, NOW)
    const createdAt = NOW + 100
    await vault.rotate(createdAt)
    assert.deepEqual(await kidsAt(keyring, NOW), [first])
    clock.now = NOW + 300
    const [second, ...others] = await kidsAt(keyring, clock.now)
    assert.deepEqual(others, [first])
    clock.now = createdAt + ANNOUNCE_SECONDS - 1
    assert.equal(await signerAt(keyring, clock.now), first)
    clock.now++
    assert.equal(await signerAt(keyring, clock.now), second)
    clock.now += 1800 + 60
    assert.deepEqual(await kidsAt(keyring, clock.now), [second, first])
    clock.now++
    assert.deepEqual(await kidsAt(keyring, clock.now), [second])
    const another = await open(VAULT_KEY, vault.fetch)
    assert.equal(await signerAt(another.keyring, createdAt), first)
  })

  test('the oldest version that the service lets sign needs no announcement', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    await vault.rotate(NOW - 5)
    vault.minEncryptionVersion = 2
    const { keyring } = await open(VAULT_KEY, vault.fetch)
    const [second, first] = await kidsAt(keyring, NOW)
    assert.equal(await signerAt(keyring, NOW), second)
    assert.ok(first !== undefined && first !== second)
    await verify(await token(keyring, NOW), keyring, NOW)
  })

  test('a key of the setting goes on signing until the service takes over', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const local = JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'local' }] })
    const vault = await fakeVault('ES256', NOW - 10)
    const { keyring, clock } = await open(`${VAULT_KEY}?signs_from=${NOW + 600}\n${local}`, vault.fetch)
    const [remote] = await kidsAt(keyring, NOW)
    assert.deepEqual([await signerAt(keyring, NOW), (await kidsAt(keyring, NOW))[1]], ['local', 'local'])
    clock.now = NOW + 600
    assert.equal(await signerAt(keyring, clock.now), remote)
  })

  test('once read, the keys stay in use while the service fails, and one caller in a while asks again', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { keyring, clock } = await open(VAULT_KEY, vault.fetch)
    const kids = await kidsAt(keyring, NOW)
    vault.answer = () => new Response('', { status: 500 })
    clock.now = NOW + 86_400
    for (let index = 0; index < 4; index++) assert.deepEqual(await kidsAt(keyring, clock.now), kids)
    assert.equal(vault.paths.length, 2)
  })

  test('before they are read, the failure is kept for a while, and then the service is asked again', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { keyring, clock } = await open(VAULT_KEY, vault.fetch)
    vault.answer = () => Response.json({ errors: ['Vault is sealed'] }, { status: 503 })
    for (let index = 0; index < 3; index++)
      await assert.rejects(async () => keyring.at(NOW), isFailure(/vault\.example:8200: status 503$/, '5'))
    assert.equal(vault.paths.length, 1)
    vault.answer = undefined
    clock.now = NOW + 1
    assert.equal((await kidsAt(keyring, clock.now)).length, 1)
  })

  const broken: readonly [
    name: string,
    answer: () => Response | Promise<Response>,
    cause: RegExp,
    retryAfter: string,
  ][] = [
    ['throttles', () => Response.json({}, { status: 429, headers: { 'Retry-After': '7' } }), /status 429/, '7'],
    [
      'asks to wait for an hour',
      () => Response.json({}, { status: 429, headers: { 'Retry-After': '3600' } }),
      /429/,
      '60',
    ],
    [
      'refuses the token',
      () => Response.json({ errors: [`bad ${VAULT_TOKEN}`] }, { status: 403 }),
      /status 403$/,
      '30',
    ],
    ['redirects', () => new Response(null, { status: 302, headers: { Location: 'http://evil.example' } }), /302/, '30'],
    ['sends no JSON', () => new Response('<html>'), /not JSON/, '5'],
    ['sends another document', () => Response.json({ data: { signature: 7 } }), /not one of a transit key/, '5'],
    ['sends too much', () => new Response('x'.repeat(256 * 1024 + 1)), /more than/, '5'],
    [
      'signs with another version',
      () => Response.json({ data: { signature: 'vault:v2:AAAA' } }),
      /another version/,
      '5',
    ],
    ['sends what is no base64url', () => Response.json({ data: { signature: 'vault:v1:!' } }), /base64url/, '5'],
    ['sends a short signature', () => Response.json({ data: { signature: 'vault:v1:AAAA' } }), /is wrong/, '5'],
    [
      'signs something else',
      () => Response.json({ data: { signature: `vault:v1:${'A'.repeat(86)}` } }),
      /signature by the key .* is wrong/,
      '5',
    ],
    [
      'cannot be reached',
      () => Promise.reject(new TypeError(`bad header ${VAULT_TOKEN}`)),
      /no answer, TypeError$/,
      '5',
    ],
  ]
  for (const [name, answer, cause, retryAfter] of broken) {
    test(`503 when the service ${name}`, async () => {
      const vault = await fakeVault('ES256', NOW - 10)
      const { keyring } = await open(VAULT_KEY, vault.fetch)
      await keyring.at(NOW)
      vault.answer = answer
      await assert.rejects(token(keyring, NOW), isFailure(cause, retryAfter))
      vault.answer = undefined
      await verify(await token(keyring, NOW), keyring, NOW)
    })
  }

  const errorsOfAws: readonly [type: string, status: number, cause: RegExp, retryAfter: string][] = [
    ['ThrottlingException', 400, /kms\.eu-central-1\.amazonaws\.com: status 400 ThrottlingException$/, '5'],
    ['com.amazonaws.kms#KMSInternalException', 500, /status 500 KMSInternalException$/, '5'],
    ['AccessDeniedException', 400, /status 400 AccessDeniedException$/, '30'],
    ['no type but <html> and hvs.secret', 400, /status 400$/, '30'],
  ]
  for (const [__type, status, cause, retryAfter] of errorsOfAws) {
    test(`503 when AWS answers ${__type}`, async () => {
      const aws = await fakeAws('ES256')
      const { keyring } = await open(AWS_KEY, aws.fetch)
      await keyring.at(NOW)
      aws.answer = () => Response.json({ __type, message: 'with hvs.secret' }, { status })
      await assert.rejects(token(keyring, NOW), isFailure(cause, retryAfter))
    })
  }

  test('a key of another type than alg needs is a failure that says so', async () => {
    const vault = await fakeVault('RS256', NOW)
    const { keyring } = await open(VAULT_KEY, vault.fetch)
    await assert.rejects(async () => keyring.at(NOW), isFailure(/another type than ES256/, '5'))
    const aws = await fakeAws('ES256')
    const { keyring: other } = await open(`${AWS_KEY}?alg=RS256`, aws.fetch)
    await assert.rejects(async () => other.at(NOW), isFailure(/another type than RS256/, '5'))
  })

  test('a set without the keys of one service is not published', async () => {
    const [vault, aws] = [await fakeVault('ES256', NOW), await fakeAws('RS256')]
    const fetch = (url: string, init: RequestInit) => (url.includes('vault') ? vault : aws).fetch(url, init)
    const { keyring, clock } = await open(`${VAULT_KEY},${AWS_KEY}?alg=RS256`, fetch)
    aws.answer = () => Response.json({ __type: 'DisabledException' }, { status: 400 })
    await assert.rejects(async () => keyring.at(NOW), isFailure(/DisabledException/, '30'))
    aws.answer = undefined
    clock.now = NOW + 1
    assert.equal((await kidsAt(keyring, clock.now)).length, 2)
    assert.deepEqual(keyring.algorithms, ['ES256', 'RS256'])
  })

  test('at most 32 requests run at a time, at most 256 wait, and the others are asked to come back', async () => {
    const vault = await fakeVault('ES256', NOW - 10)
    const { keyring } = await open(VAULT_KEY, vault.fetch)
    await keyring.at(NOW)
    const gate = Promise.withResolvers<undefined>()
    let [running, most] = [0, 0]
    vault.answer = async () => {
      most = Math.max(most, ++running)
      await gate.promise
      running--
      return Response.json({ data: { signature: 'vault:v1:AAAA' } })
    }
    const key = signingKeyOf(await keyring.at(NOW))
    const [refusals, allRefused] = [[] as OAuthError[], Promise.withResolvers<undefined>()]
    const signatures = Array.from({ length: 32 + 256 + 5 }, () =>
      key.sign(new Uint8Array(1)).catch((error: unknown) => {
        if (error instanceof OAuthError && refusals.push(error) === 5) allRefused.resolve(undefined)
      }),
    )
    await allRefused.promise
    for (const { reason, status, headers } of refusals)
      assert.deepEqual([reason, status, headers['Retry-After']], ['key_service_busy', 503, '1'])
    gate.resolve(undefined)
    await Promise.all(signatures)
    assert.deepEqual(
      refusals.slice(5).map(({ reason }) => reason),
      Array.from({ length: 32 + 256 }, () => 'key_service_failed'),
    )
    assert.equal(most, 32)
  })
})
