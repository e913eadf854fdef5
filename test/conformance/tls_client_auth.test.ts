import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { remoteKeys } from '../../src/assertions/remote_keys.ts'
import { clientSecretBasic } from '../../src/authentication/client_secret_basic.ts'
import { clientSecretPost } from '../../src/authentication/client_secret_post.ts'
import { selfSignedTlsClientAuth } from '../../src/authentication/self_signed_tls_client_auth.ts'
import { tlsClientAuth } from '../../src/authentication/tls_client_auth.ts'
import { clientCertificates } from '../../src/certificates/client_cert.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import type { Reason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client } from '../../src/types.ts'
import { base64Of, clientCert, leaf, plain, self } from '../support/certificates.ts'
import { clients, createWorld, NOW, withoutCaller } from '../support/world.ts'

const PROXY = '10.0.0.5'
const LEAF_DN = 'emailAddress=a@b.example,CN=svc.example,OU=a\\+b,O=M\\C3\\BCller\\, S\\C3\\B6hne GmbH \\<x\\>,C=DE'
const KEYS_URL = 'https://keys.example/jwks'

const byCa = { token_endpoint_auth_method: 'tls_client_auth', grant_types: ['client_credentials'] }
const bySelf = { token_endpoint_auth_method: 'self_signed_tls_client_auth', grant_types: ['client_credentials'] }
const registered: readonly Client[] = [
  { ...byCa, client_id: 'dn', tls_client_auth_subject_dn: LEAF_DN },
  { ...byCa, client_id: 'plain-dn', tls_client_auth_subject_dn: 'CN=plain,O=Example' },
  { ...byCa, client_id: 'turned-dn', tls_client_auth_subject_dn: 'O=Example,CN=plain' },
  { ...byCa, client_id: 'part-dn', tls_client_auth_subject_dn: 'CN=plain' },
  { ...byCa, client_id: 'no-dn', tls_client_auth_subject_dn: 'plain' },
  { ...byCa, client_id: 'empty-dn', tls_client_auth_subject_dn: '' },
  { ...byCa, client_id: 'dns', tls_client_auth_san_dns: 'SVC.example' },
  { ...byCa, client_id: 'dns-part', tls_client_auth_san_dns: 'example' },
  { ...byCa, client_id: 'uri', tls_client_auth_san_uri: 'spiffe://example/svc' },
  { ...byCa, client_id: 'uri-capitals', tls_client_auth_san_uri: 'spiffe://example/SVC' },
  { ...byCa, client_id: 'ip4', tls_client_auth_san_ip: '10.0.0.1' },
  { ...byCa, client_id: 'ip6', tls_client_auth_san_ip: '2001:DB8:0:0:0:0:0:1' },
  { ...byCa, client_id: 'ip-other', tls_client_auth_san_ip: '10.0.0.2' },
  { ...byCa, client_id: 'email', tls_client_auth_san_email: 'svc@example.com' },
  { ...byCa, client_id: 'no-name' },
  { ...byCa, client_id: 'two-names', tls_client_auth_san_dns: 'svc.example', tls_client_auth_san_ip: '10.0.0.1' },
  { ...bySelf, client_id: 'x5c', jwks: { keys: [{ kty: 'EC' }, { kty: 'EC', x5c: [base64Of(self.certificate)] }] } },
  { ...bySelf, client_id: 'x5c-broken', jwks: { keys: [{ x5c: ['?'] }, { x5c: [7] }, { x5c: 'AAAA' }, { x5c: [] }] } },
  { ...bySelf, client_id: 'self-uri', jwks_uri: KEYS_URL },
  { ...bySelf, client_id: 'self-no-keys' },
]

async function createTlsWorld({ isVerifiedByProxy = true, now = NOW } = {}) {
  const { registry } = memoryStores(() => now)
  for (const client of [...(await clients()), ...registered]) {
    await registry.put(clientKey(client.client_id), clientRecord(client))
  }
  const keys = remoteKeys({
    fetch: async () => Response.json({ keys: [{ kty: 'EC', x5c: [base64Of(self.certificate)] }] }),
    now: () => now,
  })
  const events: ServerEvent[] = []
  const emit = (event: ServerEvent) => void events.push(withoutCaller(event))
  const { app } = await createWorld({
    registry,
    clientAuth: [clientSecretBasic(), clientSecretPost(), tlsClientAuth(), selfSignedTlsClientAuth(keys)],
    findCertificate: clientCertificates({ trustedProxies: ['192.0.2.1', '10.0.0.0/24'], isVerifiedByProxy, emit }),
    emit,
    now: () => now,
  })
  return async (client_id: string, certificate?: string, { peer = PROXY, ...more }: Record<string, string> = {}) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, ...more })
    const headers = new Headers(certificate === undefined ? {} : { 'Client-Cert': certificate })
    const request = new Request('https://tokens.example/token', { method: 'POST', body, headers })
    events.length = 0
    const { status } = await app.fetch(request, { peer: () => peer })
    const last = events.at(-1)
    return { status, reason: last?.event === 'request_refused' ? last.reason : undefined, events: [...events] }
  }
}

const world = createTlsWorld()
const shown = { leaf: clientCert(leaf), plain: clientCert(plain), self: clientCert(self) }

describe('tls_client_auth and self_signed_tls_client_auth, accepted', () => {
  for (const [client, name] of [
    ['dn', 'leaf'],
    ['plain-dn', 'plain'],
    ['dns', 'leaf'],
    ['uri', 'leaf'],
    ['ip4', 'leaf'],
    ['ip6', 'leaf'],
    ['email', 'leaf'],
    ['x5c', 'self'],
    ['self-uri', 'self'],
  ] as const) {
    test(`${client} with the certificate ${name}`, async () => {
      const send = await world
      assert.deepEqual(await send(client, shown[name]).then(({ status, reason }) => [status, reason]), [200, undefined])
    })
  }
})

describe('tls_client_auth and self_signed_tls_client_auth, refused', () => {
  const refused: readonly [client: string, name: keyof typeof shown | undefined, reason: Reason][] = [
    ['dn', 'plain', 'certificate_unexpected'],
    ['plain-dn', 'leaf', 'certificate_unexpected'],
    ['turned-dn', 'plain', 'certificate_unexpected'],
    ['part-dn', 'plain', 'certificate_unexpected'],
    ['no-dn', 'plain', 'certificate_unexpected'],
    ['empty-dn', 'plain', 'certificate_unexpected'],
    ['dns', 'plain', 'certificate_unexpected'],
    ['dns-part', 'leaf', 'certificate_unexpected'],
    ['uri-capitals', 'leaf', 'certificate_unexpected'],
    ['ip-other', 'leaf', 'certificate_unexpected'],
    ['email', 'plain', 'certificate_unexpected'],
    ['no-name', 'leaf', 'certificate_name_unregistered'],
    ['two-names', 'leaf', 'certificate_name_unregistered'],
    ['dn', undefined, 'certificate_missing'],
    ['x5c', undefined, 'certificate_missing'],
    ['x5c', 'leaf', 'certificate_unexpected'],
    ['x5c-broken', 'self', 'certificate_unexpected'],
    ['self-uri', 'plain', 'certificate_unexpected'],
    ['self-no-keys', 'self', 'keys_missing'],
    ['test-client', 'leaf', 'auth_method_mismatch'],
    ['nobody', 'leaf', 'client_unknown'],
    ['', 'leaf', 'credentials_missing'],
  ]
  for (const [client, name, reason] of refused) {
    test(`${client || 'no client'} with ${name ?? 'no'} certificate: ${reason}`, async () => {
      const send = await world
      const answer = await send(client, name && shown[name])
      assert.deepEqual([answer.status, answer.reason], [401, reason])
    })
  }

  test('a secret of a client that is registered for a certificate', async () => {
    const { status, reason } = await (await world)('dn', shown.leaf, { client_secret: 'foobar' })
    assert.deepEqual([status, reason], [401, 'auth_method_mismatch'])
  })

  test('certificates that are not yet valid or have expired', async () => {
    for (const now of [1_700_000_000, 4_950_000_000]) {
      const send = await createTlsWorld({ now })
      assert.equal((await send('dn', shown.leaf)).reason, 'certificate_not_current')
      assert.equal((await send('x5c', shown.self)).reason, 'certificate_not_current')
    }
  })

  test('refuses a subject name when the proxy does not verify the chain, but accepts a registered certificate', async () => {
    const send = await createTlsWorld({ isVerifiedByProxy: false })
    assert.equal((await send('dn', shown.leaf)).reason, 'certificate_not_verified')
    assert.equal((await send('x5c', shown.self)).status, 200)
  })
})

describe('the Client-Cert header', () => {
  test('does not affect a request with a secret', async () => {
    const { status } = await (await world)('test-client', shown.leaf, { client_secret: 'foobar' })
    assert.equal(status, 200)
  })

  for (const peer of ['10.0.1.5', '192.0.2.2', '::1', 'rubbish']) {
    test(`from ${peer}, which is not a trusted proxy, is ignored and reported`, async () => {
      const { status, events } = await (await world)('dn', shown.leaf, { peer })
      assert.equal(status, 401)
      const [ignored, refusal] = events
      assert.deepEqual(ignored, { event: 'client_cert_ignored', path: '/token', peer })
      assert.ok(refusal?.event === 'request_refused' && refusal.reason === 'certificate_missing')
    })
  }

  for (const peer of ['192.0.2.1', '::ffff:10.0.0.9', '10.0.0.255']) {
    test(`from ${peer} is accepted`, async () =>
      assert.equal((await (await world)('dn', shown.leaf, { peer })).status, 200))
  }

  for (const [name, header] of [
    ['empty', ''],
    ['no byte sequence', base64Of(leaf.certificate)],
    ['two', `${shown.leaf}, ${shown.self}`],
    ['no certificate', ':AAAA:'],
    ['cut off', `:${base64Of(leaf.certificate).slice(0, 400)}:`],
    ['PEM', encodeURIComponent(leaf.certificate)],
    ['not base64', ':???:'],
  ] as const) {
    test(`${name}: 400 from a trusted proxy`, async () => {
      const { status, reason } = await (await world)('dn', header)
      assert.deepEqual([status, reason], [400, 'client_cert_malformed'])
    })
  }
})
