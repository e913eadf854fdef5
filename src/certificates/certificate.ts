/**
 * Reads from a client's X.509 certificate what identifies the client. Chain and signature were already checked by whatever
 * terminated TLS.
 */

import { encodeBase64url } from '../lib/base64url.ts'
import { childrenOf, type Der, oidOf, readDer, TAG } from '../lib/der.ts'
import { addressText } from '../lib/ip_address.ts'
import type { ClientCertificate } from '../types.ts'
import { distinguishedName } from './distinguished_name.ts'

const SUBJECT_ALT_NAME = '2.5.29.17'

const VERSION = 0xa0
const EXTENSIONS = 0xa3

const GENERALIZED_TIME = 0x18

/** Kinds of GeneralName, RFC 5280 §4.2.1.6. */
const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87

/**
 * Reads a certificate.
 *
 * @param der its DER octets
 * @param isVerified whether the TLS terminator verified it
 * @throws TypeError if the octets are not a certificate
 * @see {@link https://www.rfc-editor.org/rfc/rfc5280#section-4.1 RFC 5280 §4.1}
 */
export async function readCertificate(der: Uint8Array<ArrayBuffer>, isVerified: boolean): Promise<ClientCertificate> {
  const [tbs] = childrenOf(readDer(der))
  const fields = tbs === undefined ? [] : childrenOf(tbs)
  // Only the first field may be missing.
  const [, , , validity, subject, , ...rest] = fields[0]?.tag === VERSION ? fields.slice(1) : fields
  if (validity === undefined || subject === undefined) throw new TypeError('not a certificate')
  const [notBefore, notAfter] = childrenOf(validity).map(readTime)
  return {
    thumbprint: await thumbprintOf(der),
    isVerified,
    subject: distinguishedName(subject),
    subjectAltNames: readAltNames(rest.find(({ tag }) => tag === EXTENSIONS)),
    notBefore: notBefore ?? Number.NaN,
    notAfter: notAfter ?? Number.NaN,
  }
}

/**
 * Returns the `x5t#S256` of a certificate.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3.1 RFC 8705 §3.1}
 */
export async function thumbprintOf(der: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', der)))
}

/** `YYMMDDhhmmssZ` up to 2049, `YYYYMMDDhhmmssZ` after, RFC 5280 §4.1.2.5. */
function readTime({ tag, content }: Der): number {
  const text = new TextDecoder().decode(content)
  const century = tag === GENERALIZED_TIME ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19'
  const iso = (century + text).replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  return Date.parse(iso) / 1000
}

function readAltNames(extensions: Der | undefined): ClientCertificate['subjectAltNames'] {
  const list = extensions === undefined ? [] : childrenOf(readDer(extensions.content)).map((each) => childrenOf(each))
  const value = list.find(([id]) => id !== undefined && oidOf(id) === SUBJECT_ALT_NAME)?.at(-1)
  const names = value?.tag === TAG.octetString ? childrenOf(readDer(value.content)) : []
  const textsOf = (kind: number): string[] =>
    names.filter(({ tag }) => tag === kind).map(({ content }) => new TextDecoder('latin1').decode(content))
  return {
    dns: textsOf(DNS),
    uri: textsOf(URI),
    email: textsOf(EMAIL),
    ip: names.filter(({ tag }) => tag === IP).map(({ content }) => addressText(content)),
  }
}
