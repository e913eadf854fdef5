import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { selfSignedTlsClientAuth } from '../../src/authentication/self_signed_tls_client_auth.ts'
import { tlsClientAuth } from '../../src/authentication/tls_client_auth.ts'
import { readDistinguishedName } from '../../src/certificates/distinguished_name.ts'
import type { ClientAuth } from '../../src/features.ts'
import type { ClientReason } from '../../src/reasons.ts'
import type { Client, ClientCertificate, Jwk } from '../../src/types.ts'
import { base64Of, leaf, self } from '../support/certificates.ts'
import { ISSUER, NOW } from '../support/world.ts'

const THUMBPRINT_OF_LEAF = 'zV3TGHgeGTJmwbWpzGVj_Y1RGwKEW8GDXXubkKoUupM'
const certificate: ClientCertificate = {
  thumbprint: THUMBPRINT_OF_LEAF,
  isVerified: true,
  subject: readDistinguishedName('CN=a,O=b'),
  subjectAltNames: {
    dns: ['first.example', 'Svc.example'],
    uri: ['urn:first', 'spiffe://example/Svc'],
    ip: ['10.0.0.9', '8.9.9.9', '0.0.0.10', '2001:db8::1', '::ffff:a00:7'],
    email: ['first@example.com', 'Svc@example.com'],
  },
  notBefore: NOW - 10,
  notAfter: NOW + 10,
}
const noRemoteKeys = () => Promise.reject(new Error('no network'))

function ask(method: ClientAuth, client: Partial<Client>, shown: ClientCertificate | undefined, now = NOW) {
  const presented = method.read({
    headers: new Headers(),
    form: { get: () => 'a', getAll: () => ['a'] },
    certificate: shown,
  })
  assert.equal(presented?.client_id, 'a')
  return presented.verify({ client_id: 'a', ...client }, { issuer: ISSUER, tokenEndpoint: `${ISSUER}/token`, now })
}

const named: Partial<Client> = { tls_client_auth_san_dns: 'svc.example' }
const carried: Partial<Client> = { jwks: { keys: [{ 'x5t#S256': THUMBPRINT_OF_LEAF }] } }

describe('a certificate', () => {
  const times: readonly [now: number, shown: Partial<ClientCertificate>, reason: ClientReason | undefined][] = [
    [NOW - 10, {}, undefined],
    [NOW - 10.5, {}, 'certificate_not_current'],
    [NOW + 10, {}, undefined],
    [NOW + 10.5, {}, 'certificate_not_current'],
    [NOW, { notBefore: Number.NaN }, 'certificate_not_current'],
    [NOW, { notAfter: Number.NaN }, 'certificate_not_current'],
  ]
  for (const [now, shown, reason] of times) {
    test(`counts from its first to its last second: ${now - NOW} ${JSON.stringify(shown)}`, async () => {
      assert.equal(await ask(tlsClientAuth(), named, { ...certificate, ...shown }, now), reason)
      assert.equal(await ask(selfSignedTlsClientAuth(noRemoteKeys), carried, { ...certificate, ...shown }, now), reason)
    })
  }

  test('that is missing, or was not verified', async () => {
    assert.equal(await ask(tlsClientAuth(), named, undefined), 'certificate_missing')
    assert.equal(await ask(selfSignedTlsClientAuth(noRemoteKeys), carried, undefined), 'certificate_missing')
    const unverified = { ...certificate, isVerified: false }
    assert.equal(await ask(tlsClientAuth(), named, unverified), 'certificate_not_verified')
    assert.equal(await ask(selfSignedTlsClientAuth(noRemoteKeys), carried, unverified), undefined)
  })
})

describe('tls_client_auth', () => {
  const names: Readonly<Record<string, { same: readonly string[]; other: readonly string[] }>> = {
    tls_client_auth_subject_dn: {
      same: ['CN=a,O=b', 'cn=a, o=b', '2.5.4.3=a,O=b'],
      other: ['CN=a', 'O=b,CN=a', 'CN=A,O=b', 'CN=a,O=b,', '', ',', '\\', 'a'],
    },
    tls_client_auth_san_dns: {
      same: ['Svc.example', 'svc.EXAMPLE'],
      other: ['example', '*.example', 'svc.example.', ''],
    },
    tls_client_auth_san_uri: {
      same: ['spiffe://example/Svc'],
      other: ['spiffe://example/svc', 'spiffe://example', ''],
    },
    tls_client_auth_san_ip: {
      same: ['10.0.0.9', '8.9.9.9', '2001:db8::1', '2001:DB8:0:0:0:0:0:1', '::ffff:10.0.0.7'],
      // A record may be older than the check at registration.
      other: ['010.9.9.9', '10', '10.9', '012.0.0.9', '10.0.0.7', '10.0.0.9/32', '[2001:db8::1]', '2001:db8::1%a', ''],
    },
    tls_client_auth_san_email: {
      same: ['Svc@example.com'],
      other: ['svc@example.com', 'Svc@EXAMPLE.com', '@example.com', ''],
    },
  }
  for (const [member, { same, other }] of Object.entries(names)) {
    test(`${member} names the client`, async () => {
      for (const name of same)
        assert.equal(await ask(tlsClientAuth(), { [member]: name }, certificate), undefined, name)
      for (const name of other) {
        assert.equal(await ask(tlsClientAuth(), { [member]: name }, certificate), 'certificate_unexpected', name)
      }
    })

    test(`${member} is of its own kind, and stands alone`, async () => {
      const [name = ''] = same
      for (const another of Object.keys(names)) {
        const client = another === member ? {} : { [another]: name }
        const reason = another === member ? 'certificate_name_unregistered' : 'certificate_unexpected'
        assert.equal(await ask(tlsClientAuth(), client, certificate), reason)
        if (another === member) continue
        const both = { [member]: name, [another]: names[another]?.same[0] }
        assert.equal(await ask(tlsClientAuth(), both, certificate), 'certificate_name_unregistered')
      }
    })
  }

  test('an empty subject is that of no registered name', async () => {
    const empty = { ...certificate, subject: '[]' }
    for (const name of ['', ' ', ',', '+', '\\', 'CN=', ',,']) {
      const reason = await ask(tlsClientAuth(), { tls_client_auth_subject_dn: name }, empty)
      assert.equal(reason, 'certificate_unexpected', name)
    }
  })
})

describe('self_signed_tls_client_auth', () => {
  const [x5cOfLeaf, x5cOfSelf] = [leaf, self].map((each) => base64Of(each.certificate))
  const keys: readonly [name: string, key: Jwk, isIt: boolean][] = [
    ['its hash', { 'x5t#S256': THUMBPRINT_OF_LEAF }, true],
    ['another hash', { 'x5t#S256': THUMBPRINT_OF_LEAF.toLowerCase() }, false],
    ['the certificate', { x5c: [x5cOfLeaf] }, true],
    ['the certificate and its issuer', { x5c: [x5cOfLeaf, x5cOfSelf] }, true],
    ['the certificate as issuer of another', { x5c: [x5cOfSelf, x5cOfLeaf] }, false],
    ['another hash beside the certificate', { 'x5t#S256': THUMBPRINT_OF_LEAF.toLowerCase(), x5c: [x5cOfLeaf] }, false],
    ['its hash beside another certificate', { 'x5t#S256': THUMBPRINT_OF_LEAF, x5c: [x5cOfSelf] }, true],
    ['a certificate with spaces', { x5c: [` ${x5cOfLeaf}   `] }, false],
    ['a certificate that is not base64', { x5c: [x5cOfLeaf?.replace('M', '?')] }, false],
    ['no list', { x5c: x5cOfLeaf }, false],
    ['nothing', {}, false],
  ]
  for (const [name, key, isIt] of keys) {
    test(`${isIt ? 'accepts' : 'refuses'} a key with ${name}`, async () => {
      const client = { jwks: { keys: [{ kty: 'EC' }, key] } }
      const reason = await ask(selfSignedTlsClientAuth(noRemoteKeys), client, certificate)
      assert.equal(reason, isIt ? undefined : 'certificate_unexpected')
    })
  }

  test('asks a jwks_uri again for a certificate that it did not have, once', async () => {
    const asked: unknown[] = []
    const published: Jwk[][] = [[], [{ 'x5t#S256': THUMBPRINT_OF_LEAF }]]
    const method = selfSignedTlsClientAuth(async (url, options) => {
      asked.push([url, options])
      return published[asked.length - 1] ?? []
    })
    const client = { jwks_uri: 'https://keys.example/' }
    assert.equal(await ask(method, client, certificate), undefined)
    assert.deepEqual(asked, [
      [client.jwks_uri, undefined],
      [client.jwks_uri, { refresh: true }],
    ])
    published.length = 0
    assert.equal(await ask(method, client, certificate), 'certificate_unexpected')
    assert.equal(await ask(method, {}, certificate), 'keys_missing')
  })
})
