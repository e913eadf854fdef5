import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { createServer, type Host } from '../../src/preset.ts'
import { start } from '../../src/runtime/cloudflare.ts'

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
