import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { type CertificateOptions, clientCertificates } from '../../src/certificates/client_cert.ts'
import { OAuthError } from '../../src/errors.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { clientCert, leaf, self } from '../support/certificates.ts'

const THUMBPRINT_OF_LEAF = 'zV3TGHgeGTJmwbWpzGVj_Y1RGwKEW8GDXXubkKoUupM'

function setUp(options: Partial<CertificateOptions> = {}) {
  const events: ServerEvent[] = []
  const emit = (event: ServerEvent) => void events.push(event)
  const find = clientCertificates({ trustedProxies: ['10.0.0.5'], isVerifiedByProxy: true, emit, ...options })
  const ask = (header: string | undefined, peer?: string) => {
    const headers = new Headers(header === undefined ? {} : { 'Client-Cert': header })
    return find(
      new Request('https://tokens.example/a/token?b=c', { headers }),
      peer === undefined ? undefined : { peer: () => peer },
    )
  }
  return { ask, events }
}

describe('clientCertificates', () => {
  test('prefers the certificate of the platform to the header', async () => {
    const platform = { clientCert: clientCert(leaf), isVerified: false }
    const { ask, events } = setUp({ fromPlatform: () => platform })
    const certificate = await ask(clientCert(self), '10.0.0.5')
    assert.deepEqual([certificate?.thumbprint, certificate?.isVerified], [THUMBPRINT_OF_LEAF, false])
    assert.deepEqual(events, [])
    const silent = setUp({ fromPlatform: () => undefined })
    assert.equal((await silent.ask(clientCert(leaf), '10.0.0.5'))?.thumbprint, THUMBPRINT_OF_LEAF)
  })

  test('reports whether the proxy verified the certificate', async () => {
    for (const isVerifiedByProxy of [true, false]) {
      const { ask } = setUp({ isVerifiedByProxy })
      assert.equal((await ask(clientCert(leaf), '10.0.0.5'))?.isVerified, isVerifiedByProxy)
    }
  })

  test('returns undefined without a header, for any peer', async () => {
    const { ask, events } = setUp()
    for (const peer of [undefined, '10.0.0.5', '192.0.2.1']) assert.equal(await ask(undefined, peer), undefined)
    assert.deepEqual(events, [])
  })

  test('ignores the header of an untrusted or unknown peer, and emits an event', async () => {
    const { ask, events } = setUp()
    assert.equal(await ask(clientCert(leaf), '10.0.0.6'), undefined)
    assert.equal(await ask(clientCert(leaf)), undefined)
    const event = { event: 'client_cert_ignored', path: '/a/token' }
    assert.deepEqual(events, [{ ...event, peer: '10.0.0.6' }, event])
  })

  test('refuses a header without a valid certificate with invalid_request', async () => {
    const { ask } = setUp()
    for (const header of ['', '::', ':AAAA:', ':A:', clientCert(leaf).slice(1), `${clientCert(leaf)};a=1`]) {
      const isMalformed = (error: unknown) => error instanceof OAuthError && error.reason === 'client_cert_malformed'
      await assert.rejects(ask(header, '10.0.0.5'), isMalformed, header)
    }
    assert.equal((await ask(` ${clientCert(leaf)} `, '10.0.0.5'))?.thumbprint, THUMBPRINT_OF_LEAF)
  })
})
