import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { type KeyUrl, readKeyUrl } from '../../src/kms/key_url.ts'
import type { KeyServiceOptions } from '../../src/kms/open_key.ts'
import { serviceTransport } from '../../src/kms/transport.ts'
import { wrapNewKey, wrappedKey } from '../../src/kms/wrapped_key.ts'
import { AWS_CREDENTIALS, AWS_KEY, fakeAws } from '../support/aws_server.ts'
import { fakeVault, VAULT_KEY, VAULT_TOKEN } from '../support/vault_server.ts'
import { NOW } from '../support/world.ts'

const ISSUER = 'https://tokens.example'

function servicesOf(fetch: Parameters<typeof serviceTransport>[0]['fetch'], now = () => NOW): KeyServiceOptions {
  return { credentials: { VAULT_TOKEN, ...AWS_CREDENTIALS }, call: serviceTransport({ fetch }), now }
}

const reasonOf = (error: unknown) => error instanceof OAuthError && error.reason === 'key_service_failed'

describe('wrappedKey', () => {
  const services = [
    ['Vault', VAULT_KEY, () => fakeVault('ES256', NOW)],
    ['AWS', AWS_KEY, () => fakeAws('ES256')],
  ] as const
  for (const [name, url, serve] of services) {
    test(`${name} decrypts once what it encrypted, for the same issuer only`, async () => {
      const server = await serve()
      let requests = 0
      const options = servicesOf((to, init) => {
        requests++
        return server.fetch(to, init)
      })
      const text = await wrapNewKey(url, readKeyUrl(url), ISSUER, options)
      assert.ok(text.startsWith(`${url}?ciphertext=`))
      const find = wrappedKey(readKeyUrl(text), ISSUER, options)
      assert.equal(requests, 1)
      const [one, two] = await Promise.all([find(), find(), find()])
      assert.equal(one?.length, 32)
      assert.deepEqual([one, one], [two, await find()])
      assert.equal(requests, 2)
      const another = await wrapNewKey(url, readKeyUrl(url), ISSUER, options)
      assert.notDeepEqual(await wrappedKey(readKeyUrl(another), ISSUER, options)(), one)
      await assert.rejects(wrappedKey(readKeyUrl(text), 'https://other.example', options)(), reasonOf)
    })
  }

  test('a failure is kept for 1, 2, 4 seconds and so on, up to 30', async () => {
    const clock = { now: NOW }
    const vault = await fakeVault('ES256', NOW)
    const options = servicesOf(vault.fetch, () => clock.now)
    const url = readKeyUrl(await wrapNewKey(VAULT_KEY, readKeyUrl(VAULT_KEY), ISSUER, options))
    vault.answer = () => new Response('', { status: 503 })
    const find = wrappedKey(url, ISSUER, options)
    const instants: number[] = []
    for (; clock.now < NOW + 100; clock.now++) {
      const before = vault.paths.length
      await assert.rejects(find(), reasonOf)
      if (vault.paths.length > before) instants.push(clock.now - NOW)
    }
    assert.deepEqual(instants, [0, 1, 3, 7, 15, 31, 61, 91])
    vault.answer = undefined
    clock.now = NOW + 121
    assert.equal((await find()).length, 32)
  })

  const wrong: readonly [name: string, plaintext: string][] = [
    ['31 octets', btoa('x'.repeat(31))],
    ['no base64', '?'],
  ]
  for (const [name, plaintext] of wrong) {
    test(`refuses ${name}`, async () => {
      const fetch = async () => Response.json({ data: { plaintext } })
      const url: KeyUrl = readKeyUrl(`${VAULT_KEY}?ciphertext=vault:v1:x`)
      await assert.rejects(wrappedKey(url, ISSUER, servicesOf(fetch))(), reasonOf)
    })
  }
})
