/** Forms, the Authorization header, and small texts. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readBasic } from '../../../src/authentication/basic.ts'
import { OAuthError } from '../../../src/errors.ts'
import { readBearer } from '../../../src/http/bearer.ts'
import { decodeBase64url, encodeBase64url } from '../../../src/lib/base64url.ts'
import { readForm } from '../../../src/lib/form.ts'
import { edited, edits, type Fuzzed, fuzzed, octetsOf, pieces, readOr, sameVerdict, utf8Of } from '../fuzzed.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Returns the text of octets, undefined unless they are UTF-8. */
function utf8(latin1: string): string | undefined {
  return readOr(() => strict.decode(octetsOf(latin1)), TypeError)?.value
}

/** Decodes one name or value by octets, unlike the reader, which decodes text. */
function component(latin1: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(latin1)) return undefined
  const octets = latin1
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return utf8(octets)
}

/** Reads a form by its definition: undefined where any part of it cannot be decoded. */
function formOracle(latin1: string): [string, string][] | undefined {
  if (utf8(latin1) === undefined) return undefined
  const all = latin1.split('&').map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return [component(name), component(value.join('='))] as const
  })
  if (all.some(([name, value]) => name === undefined || value === undefined)) return undefined
  return all.flatMap(([name = '', value = '']): [string, string][] => (value === '' ? [] : [[name, value]]))
}

const FORM = ['a', 'b', '=', '=', '&', '+', '%', '%4', '%41', '%26', '%3D', '%C3%A9', '%C3', '%A9', '%ED%A0%80', '%00']
const RAW = [
  '\xc3\xa9',
  '\xc3',
  '\xa9',
  '\xff',
  '\xef\xbb\xbf',
  '\x00',
  '\n',
  'grant_type',
  '%EF%BB%BF',
  '%F4%90%80%80',
]

const form = fuzzed('form', pieces([...FORM, ...RAW], 20), (body) => {
  const read = readOr(() => readForm(octetsOf(body)), TypeError, URIError)
  assert.deepEqual(read?.value, formOracle(body))
})

const text = fc.oneof(fc.string({ maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 }))
const BASE64 = ['=', '==', '+', '/', '-', '_', 'A', ' ', '\t', ',', 'Basic ', ':', 'Og', 'Og==']
const basics = fc.record({ id: text, secret: text, changes: edits(BASE64) })

/** As RFC 6749 §2.3.1 says, with the encoder of forms. */
function basicOf(id: string, secret: string): string {
  const encode = (value: string): string => new URLSearchParams([['', value]]).toString().slice(1)
  return `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}`
}

const basic = fuzzed('basic', basics, ({ id, secret, changes }) => {
  const whole = basicOf(id, secret)
  const header = edited(whole, changes)
  const read = readOr(() => readBasic(header), OAuthError)
  if (header === whole) {
    // An encoder replaces what is no Unicode.
    const expected = { client_id: id.toWellFormed(), secret: secret.toWellFormed() }
    assert.deepEqual(read?.value, expected)
  }
  if (read === undefined) return
  const [, token = ''] = /^basic *([a-z\d+/]+={0,2})$/i.exec(header) ?? []
  const pair = atob(token)
  const colon = pair.indexOf(':')
  assert.ok(colon >= 0)
  assert.deepEqual(read.value, { client_id: component(pair.slice(0, colon)), secret: component(pair.slice(colon + 1)) })
})

const tokens = fc.tuple(
  pieces(['Bearer', 'bearer ', ' ', ',', 'abc', '.', '~', '=', 'a=b', '\t', 'é', 'Basic '], 5),
  fc.boolean(),
)

const bearer = fuzzed('bearer', tokens, ([value, isPrefixed]) => {
  const headers = readOr(() => new Headers({ Authorization: isPrefixed ? `Bearer ${value}` : value }), TypeError)?.value
  if (headers === undefined) return
  const read = readOr(() => readBearer(headers), OAuthError)
  const [scheme = '', ...words] = (headers.get('Authorization') ?? '').split(/ +/)
  const [token = ''] = words
  const isToken = /[^=]/.test(token) && /^[a-zA-Z\d._~+/-]*=*$/.test(token)
  sameVerdict(read, scheme.toLowerCase() === 'bearer' && words.length === 1 && isToken)
  if (read !== undefined) assert.equal(read.value, token)
})

const ENCODED = ['A', 'AA', 'AAA', 'AAAA', '-', '_', '=', '+', '/', 'AR', 'é', ' ', '\n', '9', 'z', '\u{10000}']

const base64url = fuzzed(
  'base64url',
  fc.tuple(fc.uint8Array({ maxLength: 12 }), edits(ENCODED)),
  ([octets, changes]) => {
    const encoded = edited(encodeBase64url(octets), changes)
    const read = readOr(() => decodeBase64url(encoded), TypeError)
    if (read !== undefined) assert.equal(encodeBase64url(read.value), encoded)
    if (changes.length === 0) assert.deepEqual(read?.value, Uint8Array.from(octets))
    // By Unicode's own decoder: what it decodes from other texts is not canonical.
    const isOfAlphabet = /^[\w-]*$/.test(encoded) && encoded.length % 4 !== 1 && !utf8Of(encoded).includes('\x80')
    if (!isOfAlphabet) assert.equal(read, undefined)
  },
)

export const TEXTS: readonly Fuzzed[] = [form, basic, bearer, base64url]
