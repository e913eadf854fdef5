import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { generateKey } from '../../src/keys/key_set.ts'
import { createServer, type Host, type Server } from '../../src/preset.ts'
import { start } from '../../src/runtime/cloudflare.ts'
import { withoutClock } from '../support/clock.ts'

/** The host that a start on Workers hands to the server. */
async function hostOf(): Promise<Host> {
  let given: Host | undefined
  await start((host) => {
    given = host
    return createServer({ ...host, environment: { DEV: 'true' } })
  }, true)
  assert.ok(given !== undefined)
  return given
}

test('a start reads no clock', async () => {
  const keys = [await generateKey('ES256', 1), await generateKey('ES256', 2)]
  const environment = { ISSUER: 'https://tokens.example', SIGNING_KEYS: JSON.stringify({ keys }) }
  let server: Server | undefined
  const createHere = async (host: Host): Promise<Server> => {
    server = await createServer({ ...host, environment })
    return server
  }
  const { fetch } = await withoutClock(() => start(createHere, true))
  assert.ok(server?.config !== undefined)
  const jwks = await fetch(new Request('https://tokens.example/.well-known/jwks.json'))
  assert.equal(jwks.status, 200)
})

describe('the certificate that Cloudflare tells of', () => {
  const cases: readonly [name: string, tlsClientAuth: Record<string, string> | null, isVerified?: boolean][] = [
    ['verified', { certRFC9440: ':AA==:', certVerified: 'SUCCESS', certRevoked: '0' }, true],
    ['revoked', { certRFC9440: ':AA==:', certVerified: 'SUCCESS', certRevoked: '1' }, false],
    ['of no CA', { certRFC9440: ':AA==:', certVerified: 'FAILED:self signed certificate', certRevoked: '0' }, false],
    ['none', { certRFC9440: '', certVerified: 'NONE', certRevoked: '0', certPresented: '0' }],
    ['no word of it', null],
  ]
  for (const [name, tlsClientAuth, isVerified] of cases) {
    test(name, async () => {
      const { certificateOf } = await hostOf()
      const request = new Request('https://tokens.example/token', { cf: { tlsClientAuth } } as RequestInit)
      const expected = isVerified === undefined ? undefined : { clientCert: ':AA==:', isVerified }
      assert.deepEqual(certificateOf?.(request), expected)
    })
  }
})
