import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { readDistinguishedName } from '../../src/certificates/distinguished_name.ts'
import { base64Of, ca, leaf, self } from '../support/certificates.ts'
import {
  altNames,
  attribute,
  basicConstraints,
  certificateOf,
  der,
  generalizedTime,
  nameOf,
  text,
  utcTime,
} from '../support/x509.ts'

const octetsOf = ({ certificate }: { certificate: string }) =>
  Uint8Array.from(atob(base64Of(certificate)), (character) => character.charCodeAt(0))

describe('readCertificate', () => {
  test('returns the values that OpenSSL prints', async () => {
    const certificate = await readCertificate(octetsOf(leaf), true)
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

  test('reads a certificate without subject alternative names', async () => {
    const { subjectAltNames, isVerified } = await readCertificate(octetsOf(self), false)
    assert.deepEqual([subjectAltNames, isVerified], [{ dns: [], uri: [], ip: [], email: [] }, false])
  })

  test('refuses a certificate that is truncated anywhere', async () => {
    const whole = octetsOf(ca)
    for (let length = 0; length < whole.length; length++) {
      await assert.rejects(readCertificate(whole.slice(0, length), true))
    }
  })

  test('returns another thumbprint or throws if any octet is changed', async () => {
    const whole = octetsOf(leaf)
    const { thumbprint } = await readCertificate(whole, true)
    for (let index = 0; index < whole.length; index++) {
      const changed = whole.slice()
      changed[index] = (changed[index] ?? 0) ^ 0xff
      const outcome = await readCertificate(changed, true).catch((error: unknown) => error)
      assert.ok(outcome instanceof Error || (outcome as { thumbprint: string }).thumbprint !== thumbprint)
    }
  })
})

describe('the fields of a certificate', () => {
  const at = (iso: string) => Date.parse(iso) / 1000

  test('reads times of both types, with the century of RFC 5280 §4.1.2.5.1', async () => {
    const times: readonly [ReturnType<typeof utcTime>, number][] = [
      [utcTime('491231235959Z'), at('2049-12-31T23:59:59Z')],
      [utcTime('500101000000Z'), at('1950-01-01T00:00:00Z')],
      [utcTime('991231235959Z'), at('1999-12-31T23:59:59Z')],
      [utcTime('000101000000Z'), at('2000-01-01T00:00:00Z')],
      [generalizedTime('20500101000000Z'), at('2050-01-01T00:00:00Z')],
      [generalizedTime('99991231235959Z'), at('9999-12-31T23:59:59Z')],
      ...['2001010000Z', '200101000000', '200101000000+0000', '201301000000Z', 'x'].map(
        (each): [ReturnType<typeof utcTime>, number] => [utcTime(each), Number.NaN],
      ),
    ]
    for (const [time, expected] of times) {
      const { notBefore, notAfter } = await readCertificate(certificateOf({ times: [time, time] }), true)
      assert.deepEqual([notBefore, notAfter], [expected, expected])
    }
    const { notBefore, notAfter } = await readCertificate(certificateOf({ times: [] }), true)
    assert.deepEqual([notBefore, notAfter], [Number.NaN, Number.NaN])
    const one = await readCertificate(certificateOf({ times: [utcTime('200101000000Z')] }), true)
    assert.deepEqual([one.notBefore, one.notAfter], [at('2020-01-01T00:00:00Z'), Number.NaN])
  })

  test('reads subjects in every string type', async () => {
    const subjects: readonly [ReturnType<typeof nameOf>, string][] = [
      [nameOf([attribute('CN', der(0x0c, [0xc3, 0xa9]))]), 'CN=é'],
      [nameOf([attribute('CN', text(0x13, 'a'))]), 'CN=a'],
      [nameOf([attribute('CN', der(0x14, [0xe9]))]), 'CN=é'],
      [nameOf([attribute('CN', text(0x16, 'a'))]), 'CN=a'],
      [nameOf([attribute('CN', der(0x1e, [0, 0xe9, 0x20, 0xac]))]), 'CN=é€'],
      [nameOf([attribute('O', text(0x0c, 'b'))], [attribute('CN', text(0x0c, 'a'))]), 'CN=a,O=b'],
      [nameOf([attribute('OU', text(0x0c, 'b')), attribute('CN', text(0x0c, 'a'))]), 'CN=a+OU=b'],
      [nameOf([attribute('CN', der(0x0c, [0xef, 0xbb, 0xbf, 0x61]))]), 'CN=\ufeffa'],
      [nameOf([attribute('CN', text(0x0c, ''))]), 'CN='],
    ]
    for (const [subject, name] of subjects) {
      assert.equal((await readCertificate(certificateOf({ subject }), true)).subject, readDistinguishedName(name), name)
    }
    for (const value of [der(0x02, [1]), der(0x0c, [0xff]), der(0x1e, [0, 0xe9, 0xd8, 0]), text(0x1c, 'a')]) {
      await assert.rejects(readCertificate(certificateOf({ subject: nameOf([attribute('CN', value)]) }), true))
    }
    await assert.rejects(readCertificate(certificateOf({ subject: nameOf([der(0x30)]) }), true), TypeError)
    await assert.rejects(readCertificate(certificateOf({ subject: der(0x30, der(0x30)) }), true), TypeError)
  })

  test('reads an empty subject, which no text can express', async () => {
    const { subject } = await readCertificate(certificateOf({ subject: nameOf() }), true)
    for (const name of ['', ',', '+', '\\', ' ', '=']) {
      assert.throws(() => assert.equal(readDistinguishedName(name), subject), TypeError)
    }
  })

  test('reads subject alternative names: critical or not, after another extension, with names of other types', async () => {
    const names = [
      text(0x82, 'a.example'),
      text(0x86, 'urn:a'),
      text(0x81, 'a@b'),
      der(0x87, [10, 0, 0, 1]),
      der(0xa0),
      text(0x88, 'x'),
    ]
    for (const extensions of [
      [altNames(names)],
      [altNames(names, true)],
      [basicConstraints, altNames(names)],
      [altNames(names), basicConstraints],
    ]) {
      const { subjectAltNames } = await readCertificate(certificateOf({ extensions }), true)
      assert.deepEqual(subjectAltNames, { dns: ['a.example'], uri: ['urn:a'], email: ['a@b'], ip: ['10.0.0.1'] })
    }
    const { subjectAltNames } = await readCertificate(certificateOf({ extensions: [basicConstraints] }), true)
    assert.deepEqual(subjectAltNames, { dns: [], uri: [], email: [], ip: [] })
    for (const length of [0, 3, 5, 8, 15, 17]) {
      const extensions = [altNames([der(0x87, Array(length).fill(1))])]
      await assert.rejects(readCertificate(certificateOf({ extensions }), true), Error)
    }
  })

  test('reads version 1, which has no version field, and refuses trailing octets', async () => {
    const { subject } = await readCertificate(certificateOf({ isVersion1: true }), true)
    assert.equal(subject, readDistinguishedName('CN=a'))
    await assert.rejects(readCertificate(Uint8Array.from([...certificateOf(), 0x05, 0x00]), true), TypeError)
    for (const octets of [[], [0x30, 0], [0x30, 2, 0x30, 0], [0x31, 0]]) {
      await assert.rejects(readCertificate(Uint8Array.from(octets), true), TypeError)
    }
  })
})
