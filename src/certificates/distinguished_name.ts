/** Distinguished names, from certificates and from RFC 4514 text, in one canonical form: equal names are equal strings. */

import { childrenOf, type Der, oidOf, readDer, TAG } from '../lib/der.ts'

/** Attribute types that have a short name: those of RFC 4514 §3, and others that OpenSSL writes. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['CN', '2.5.4.3'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['STREET', '2.5.4.9'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['EMAILADDRESS', '1.2.840.113549.1.9.1'],
])

/** ASN.1 string types and the encoding of each. */
const STRINGS: ReadonlyMap<number, string> = new Map([
  [0x0c, 'utf-8'],
  [0x13, 'utf-8'],
  [0x14, 'latin1'],
  [0x16, 'utf-8'],
  [0x1e, 'utf-16be'],
])

/**
 * One attribute of RFC 4514 §3 (type, value) and its separator: `+` before another attribute of the same relative name, `,`
 * before the next relative name, empty at the end of the text. Spaces around types and values are accepted, as OpenSSL writes them.
 */
const ATTRIBUTE =
  / *([a-z][a-z\d-]*|(?!0\d)\d+(?:\.(?!0\d)\d+)+) *=((?:\\(?:[ "#+,;<=>\\]|[\da-f]{2})|[^"+,;<>\\\0])*)([+,]|$)/giy

type Attribute = readonly [oid: string, value: string]

/** Relative names, the most specific first as in RFC 4514 §2.1. Each is a set of attributes. */
type Names = readonly (readonly Attribute[])[]

/**
 * Returns the canonical form of a name in a certificate.
 *
 * @throws TypeError if it is not a name, or a value is not a string
 */
export function distinguishedName(name: Der): string {
  const names = childrenOf(name).map((set) =>
    childrenOf(set, TAG.set).map((attribute): Attribute => {
      const [type, value] = childrenOf(attribute)
      if (type === undefined || value === undefined) throw new TypeError('an attribute without a value')
      return [oidOf(type), stringOf(value)]
    }),
  )
  return canonical(names.reverse())
}

/**
 * Returns the canonical form of a name in text, which must have at least one attribute. Values keep their case and spaces.
 *
 * @throws TypeError or URIError if the text is not such a name
 * @see {@link https://www.rfc-editor.org/rfc/rfc4514#section-3 RFC 4514 §3}
 */
export function readDistinguishedName(text: string): string {
  const attributes = [...text.matchAll(ATTRIBUTE)]
  // The pattern is sticky: only a match that reaches the end of the text has an empty separator.
  if (attributes.at(-1)?.[3] !== '') throw new TypeError('not a distinguished name of RFC 4514')
  const names: Attribute[][] = []
  let separator = ','
  for (const [, type = '', value = '', next = ''] of attributes) {
    if (separator === ',') names.push([])
    names.at(-1)?.push([oidOfType(type), readValue(value)])
    separator = next
  }
  return canonical(names)
}

function canonical(names: Names): string {
  return JSON.stringify(names.map((set) => set.map(([oid, value]) => `${oid}=${value}`).sort()))
}

function oidOfType(type: string): string {
  const oid = /^\d/.test(type) ? type : TYPES.get(type.toUpperCase())
  if (oid === undefined) throw new TypeError('an attribute type without a known short name; use its OID')
  return oid
}

/** Spaces around a value are not part of it unless they are escaped. */
function readValue(text: string): string {
  const value = withoutSpaces(text)
  if (value.startsWith('#')) return stringOf(readDer(fromHex(value.slice(1))))
  return decodeURIComponent(value.replace(/\\([\da-f]{2})|\\(.)|%/gi, unescapeMatch))
}

function withoutSpaces(text: string): string {
  const start = text.search(/[^ ]|$/)
  let end = text.length
  while (end > start && text[end - 1] === ' ') end--
  // After an odd number of backslashes, a space is escaped.
  let backslashes = 0
  while (text[end - 1 - backslashes] === '\\') backslashes++
  return text.slice(start, end + (backslashes % 2))
}

/** Escaped octets form UTF-8 sequences together, so they are decoded by way of percent-encoding. */
function unescapeMatch(_match: string, hex: string | undefined, character = '%'): string {
  return hex === undefined ? encodeURIComponent(character) : `%${hex}`
}

function fromHex(text: string): Uint8Array {
  if (!/^([\da-f]{2})+$/i.test(text)) throw new TypeError('not hexadecimal')
  return Uint8Array.from(text.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
}

function stringOf({ tag, content }: Der): string {
  const encoding = STRINGS.get(tag)
  if (encoding === undefined) throw new TypeError('a value that is not a string')
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content)
}
