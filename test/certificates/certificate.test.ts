import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readDistinguishedName } from '../../src/certificates/distinguished_name.ts'
import { base64Of, ca, leaf, self } from '../support/certificates.ts'

const der = ({ certificate }: { certificate: string }) =>
  Uint8Array.from(atob(base64Of(certificate)), (character) => character.charCodeAt(0))

describe('readCertificate', () => {
  test('gives what OpenSSL prints of it', async () => {
    const certificate = await readCertificate(der(leaf), true)
    assert.deepEqual(certificate, {
      thumbprint: 'zV3TGHgeGTJmwbWpzGVj_Y1RGwKEW8GDXXubkKoUupM',
      isVerified: true,
      subject: readDistinguishedName(
        'emailAddress=a@b.example,CN=svc.example,OU=a\\+b,O=Müller\\, Söhne GmbH \\<x\\>,C=DE',
      ),
      subjectAltNames: {
        dns: ['svc.example', 'x', 'admin'],
        uri: ['spiffe://example/svc'],
        ip: ['10.0.0.1', '2001:db8::1'],
        email: ['svc@example.com'],
      },
      notBefore: Date.parse('2026-11-23T16:57:11Z') / 1000,
      notAfter: Date.parse('2126-10-30T16:57:11Z') / 1000,
    })
  })

  test('one without names beside the subject', async () => {
    const { subjectAltNames, isVerified } = await readCertificate(der(self), false)
    assert.deepEqual([subjectAltNames, isVerified], [{ dns: [], uri: [], ip: [], email: [] }, false])
  })

  test('refuses what is cut off, wherever, and never hangs', async () => {
    const whole = der(ca)
    for (let length = 0; length < whole.length; length++) {
      await assert.rejects(readCertificate(whole.slice(0, length), true))
    }
  })

  test('a changed octet gives another thumbprint or an error, not another failure', async () => {
    const whole = der(leaf)
    const { thumbprint } = await readCertificate(whole, true)
    for (let index = 0; index < whole.length; index++) {
      const changed = whole.slice()
      changed[index] = (changed[index] ?? 0) ^ 0xff
      const outcome = await readCertificate(changed, true).catch((error: unknown) => error)
      assert.ok(outcome instanceof Error || (outcome as { thumbprint: string }).thumbprint !== thumbprint)
    }
  })
})
