import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { clientCertificates } from '../../src/certificates/client_cert.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { mtls } from '../../src/confirmations/mtls.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { clientCert, leaf } from '../support/certificates.ts'
import { clients, createWorld, ISSUER, NOW } from '../support/world.ts'

const { registry } = memoryStores(() => NOW)
const [testClient] = await clients()
assert.ok(testClient !== undefined)
const bound = { ...testClient, client_id: 'bound', tls_client_certificate_bound_access_tokens: true }
for (const client of [testClient, bound]) await registry.put(clientKey(client.client_id), clientRecord(client))

const findCertificate = clientCertificates({
  trustedProxies: ['10.0.0.5'],
  isVerifiedByProxy: false,
  emit: () => undefined,
})
const world = createWorld({ registry, findCertificate, confirmations: [mtls()] })

async function send(client_id: string, certificate?: string) {
  const { app, events } = await world
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: 'foobar' })
  const headers = new Headers(certificate === undefined ? {} : { 'Client-Cert': certificate })
  const request = new Request(`${ISSUER}/token`, { method: 'POST', body, headers })
  const response = await app.fetch(request, { peer: () => '10.0.0.5' })
  const event = events.at(-1)
  const answer = (await response.json()) as Record<string, string>
  return { status: response.status, answer, reason: event?.event === 'request_refused' ? event.reason : undefined }
}

describe('mtls', () => {
  test("binds the tokens of a client that is registered for it to the client's certificate", async () => {
    const { answer } = await send('bound', clientCert(leaf))
    assert.equal(answer['token_type'], 'bearer')
    const { cnf } = decodeJwt(answer['access_token'] ?? '')
    assert.deepEqual(cnf, { 'x5t#S256': 'zV3TGHgeGTJmwbWpzGVj_Y1RGwKEW8GDXXubkKoUupM' })
  })

  test('refuses such a client without a certificate', async () => {
    const { status, answer, reason } = await send('bound')
    assert.deepEqual([status, answer['error'], reason], [400, 'invalid_request', 'certificate_required'])
  })

  test('does not bind the tokens of other clients', async () => {
    const { answer } = await send('test-client', clientCert(leaf))
    assert.equal('cnf' in decodeJwt(answer['access_token'] ?? ''), false)
  })
})
