/** Distinguished names, from a certificate and from the text of RFC 4514, in one form in which equal names are equal texts. */

import { childrenOf, type Der, oidOf, readDer, TAG } from '../lib/der.ts'

/** Attribute types that have a short name: RFC 4514 §3, and those that OpenSSL writes besides. */
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

/** Types of strings in ASN.1 and how each is decoded. */
const STRINGS: ReadonlyMap<number, string> = new Map([
  [0x0c, 'utf-8'],
  [0x13, 'utf-8'],
  [0x14, 'latin1'],
  [0x16, 'utf-8'],
  [0x1e, 'utf-16be'],
])

/** Relative names, the most specific first as in RFC 4514 §2.1; each a set of types and values. */
type Names = readonly (readonly (readonly [oid: string, value: string])[])[]

/** Gives the name of a certificate. @throws TypeError when it is none */
export function distinguishedName(name: Der): string {
  const names = childrenOf(name).map((set) =>
    childrenOf(set, TAG.set).map((attribute): [string, string] => {
      const [type, value] = childrenOf(attribute)
      if (type === undefined || value === undefined) throw new TypeError('an attribute without a value')
      return [oidOf(type), stringOf(value)]
    }),
  )
  return canonical(names.reverse())
}

/**
 * Reads a name as RFC 4514 §3 writes it. Values are taken to the letter, capitals and blanks included.
 *
 * @throws TypeError or URIError when the text is no such name
 */
export function readDistinguishedName(text: string): string {
  return canonical(splitUnescaped(text, ',').map((names) => splitUnescaped(names, '+').map(readAttribute)))
}

function canonical(names: Names): string {
  return JSON.stringify(names.map((set) => set.map(([oid, value]) => `${oid}=${value}`).sort()))
}

function readAttribute(text: string): [oid: string, value: string] {
  const equals = text.indexOf('=')
  const type = text.slice(0, Math.max(equals, 0)).trim().toUpperCase()
  const oid = /^\d+(\.\d+)+$/.test(type) ? type : TYPES.get(type)
  if (oid === undefined) throw new TypeError('an attribute type that has no name here; write its OID')
  return [oid, readValue(text.slice(equals + 1))]
}

/** Blanks around a value do not belong to it unless they are escaped. */
function readValue(text: string): string {
  const value = text.replace(/^ +/, '').replace(/(?<!\\)((?:\\\\)*) +$/, '$1')
  if (value.startsWith('#')) return stringOf(readDer(fromHex(value.slice(1))))
  if (/[";<>]/.test(value.replace(/\\./gs, ''))) throw new TypeError('a character that must be escaped')
  return decodeURIComponent(value.replace(/\\([\da-f]{2})|\\(.)|%/gis, unescapeMatch))
}

/** Escaped octets are UTF-8 together, so they take the way of percent-encoding. */
function unescapeMatch(_match: string, hex: string | undefined, character = '%'): string {
  return hex === undefined ? encodeURIComponent(character) : `%${hex}`
}

function splitUnescaped(text: string, separator: ',' | '+'): string[] {
  return (separator === ',' ? text.match(/(?:\\.|[^\\,])+/gs) : text.match(/(?:\\.|[^\\+])+/gs)) ?? []
}

function fromHex(text: string): Uint8Array {
  if (!/^([\da-f]{2})+$/i.test(text)) throw new TypeError('not hexadecimal')
  return Uint8Array.from(text.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
}

function stringOf({ tag, content }: Der): string {
  const encoding = STRINGS.get(tag)
  if (encoding === undefined) throw new TypeError('a value that is no string')
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content)
}
