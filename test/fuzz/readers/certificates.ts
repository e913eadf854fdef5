/** DER, distinguished names, certificates, and the header that carries them. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readCertificate } from '../../../src/certificates/certificate.ts'
import { clientCertificates } from '../../../src/certificates/client_cert.ts'
import { distinguishedName, readDistinguishedName } from '../../../src/certificates/distinguished_name.ts'
import { OAuthError } from '../../../src/errors.ts'
import { childrenOf, type Der, oidOf, readDer } from '../../../src/lib/der.ts'
import { base64Of, ca, leaf, plain, self } from '../../support/certificates.ts'
import { attribute, certificateOf, der, nameOf, text } from '../../support/x509.ts'
import { edited, edits, type Fuzzed, fuzzed, latin1Of, octetsOf, readLater, readOr, utf8Of } from '../fuzzed.ts'

const OCTETS = [
  '\x30',
  '\x31',
  '\x00',
  '\x01',
  '\x06',
  '\x80',
  '\x81',
  '\x82',
  '\x7f',
  '\xff',
  '\x30\x00',
  '\x06\x03\x55\x04\x03',
  '\x0c\x01a',
  '\x1f',
]

const { element } = fc.letrec<{ element: readonly number[] }>((tie) => ({
  element: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(fc.constantFrom(0x04, 0x06, 0x0c, 0x13, 0x87), fc.uint8Array({ maxLength: 140 }))
      .map(([tag, octets]) => der(tag, [...octets])),
    fc
      .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa3), fc.array(tie('element'), { maxLength: 4 }))
      .map(([tag, all]) => der(tag, ...all)),
  ),
}))

const elements = fc
  .tuple(element, edits(OCTETS))
  .map(([octets, changes]) => latin1Of(octetsOf(edited(latin1Of(octets), changes))))

/** Encodes what was read, by the definition of DER. */
function encoded({ tag, content }: Der): string {
  return latin1Of(der(tag, [...content]))
}

const derReader = fuzzed('der', elements, (input) => {
  const read = readOr(() => readDer(octetsOf(input)), TypeError)
  if (read === undefined) return
  const element = read.value
  assert.equal(encoded(element), input)
  for (const tag of [0x30, 0x31]) {
    const children = readOr((): readonly Der[] => childrenOf(element, tag), TypeError)
    if (children !== undefined) assert.equal(children.value.map(encoded).join(''), latin1Of(element.content))
  }
})

/** Encodes an object identifier with big integers. */
function oidContent(dotted: string): string {
  const [root = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  const base128 = (arc: bigint): number[] => {
    const octets = [Number(arc & 127n)]
    for (let more = arc >> 7n; more > 0n; more >>= 7n) octets.unshift(Number(more & 127n) | 128)
    return octets
  }
  return latin1Of([root * 40n + second, ...rest].flatMap(base128))
}

const oid = fuzzed('oid', fc.uint8Array({ maxLength: 12 }).map(latin1Of), (input) => {
  const read = readOr(() => oidOf({ tag: 0x06, content: octetsOf(input) }), TypeError)
  if (read !== undefined) assert.equal(oidContent(read.value), input)
})

const TYPES = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11' } as const
const NAME = [
  '\\',
  ',',
  '+',
  '=',
  '#',
  '#0c0161',
  '"',
  '<',
  ';',
  ' ',
  '\\ ',
  '\\2C',
  '\\C3\\A9',
  '\\C3',
  'é',
  'CN=',
  '1.2.3=',
  '2.5.4.03=',
  '\0',
  '%',
  '%41',
]
const characters = fc.string({
  unit: fc.constantFrom('a', 'é', ' ', ',', '+', '\\', '"', '#', '=', '%', '<', ';', '\u{1f600}'),
  maxLength: 6,
})
const relative = fc.array(fc.tuple(fc.constantFrom('CN' as const, 'O' as const, 'OU' as const), characters), {
  minLength: 1,
  maxLength: 3,
})
const names = fc.record({ relatives: fc.array(relative, { minLength: 1, maxLength: 3 }), changes: edits(NAME) })

/** Escapes every character that RFC 4514 §2.4 names, and every space. */
function escaped(value: string): string {
  return value.replace(/[ "#+,;<=>\\]/g, '\\$&')
}

/** Writes a canonical form as text, its types as OIDs. */
function written(canonical: string): string {
  const all = JSON.parse(canonical) as string[][]
  const one = (pair: string): string =>
    `${pair.slice(0, pair.indexOf('='))}=${escaped(pair.slice(pair.indexOf('=') + 1)).replaceAll('\0', '\\00')}`
  return all.map((set) => set.map(one).join('+')).join(',')
}

const dn = fuzzed('distinguished_name', names, ({ relatives, changes }) => {
  const whole = relatives.map((set) => set.map(([type, value]) => `${type}=${escaped(value)}`).join('+')).join(',')
  const given = edited(whole, changes)
  const read = readOr(() => readDistinguishedName(given), TypeError, URIError)
  if (read !== undefined) assert.equal(readDistinguishedName(written(read.value)), read.value)
  if (given !== whole) return
  const expected = JSON.stringify(relatives.map((set) => set.map(([type, value]) => `${TYPES[type]}=${value}`).sort()))
  assert.equal(read?.value, expected)
  const sets = relatives.map((set) => set.map(([type, value]) => attribute(type, text(0x0c, utf8Of(value))))).reverse()
  assert.equal(distinguishedName(readDer(Uint8Array.from(nameOf(...sets)))), expected)
})

const CERTIFICATES = [
  ...[ca, leaf, plain, self].map(({ certificate }) => atob(base64Of(certificate))),
  latin1Of(certificateOf()),
  latin1Of(certificateOf({ isVersion1: true })),
]
const certificates = fc
  .tuple(fc.constantFrom(...CERTIFICATES), edits(OCTETS))
  .map(([octets, changes]) => latin1Of(octetsOf(edited(octets, changes))))

const certificate = fuzzed('certificate', certificates, async (input) => {
  const read = await readLater(() => readCertificate(octetsOf(input), false), TypeError)
  if (read === undefined) return
  assert.ok(Array.isArray(JSON.parse(read.value.subject)))
  assert.match(read.value.thumbprint, /^[\w-]{43}$/)
  for (const address of read.value.subjectAltNames.ip) assert.match(address, /^[\d.]+$|^[\da-f:.]+$/)
})

const HEADER = [':', '::', '=', '==', ' ', ',', ';q=1', '-', '_', 'A', '"', ': :']
const headers = fc.record({ octets: certificates, changes: fc.oneof(fc.constant([]), edits(HEADER)) })
const find = clientCertificates({ trustedProxies: ['192.0.2.1'], emit: () => undefined })
const peer = { peer: () => '192.0.2.1' }

const clientCert = fuzzed('client_cert', headers, async ({ octets, changes }) => {
  const whole = `:${btoa(octets)}:`
  const header = edited(whole, changes)
  const request = readOr(
    () => new Request('https://tokens.example/token', { headers: { 'Client-Cert': header } }),
    TypeError,
  )
  if (request === undefined) return
  const read = await readLater(() => find(request.value, peer), OAuthError)
  if (header === whole) {
    const direct = await readLater(() => readCertificate(octetsOf(octets), false), TypeError)
    assert.deepEqual(read, direct)
  } else if (read !== undefined) assert.match(header.trim(), /^:[a-z\d+/]+={0,2}:$/i)
})

export const CERTIFICATE_READERS: readonly Fuzzed[] = [derReader, oid, dn, certificate, clientCert]
