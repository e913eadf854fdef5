/** The certificate that a JWK contains, or identifies by its hash. */

import { decodeBase64url } from '../lib/base64url.ts'
import type { Jwk } from '../types.ts'
import { readCertificate, thumbprintOf } from './certificate.ts'

const SHA_256_BYTES = 32

/**
 * Returns the `x5t#S256` of a key, otherwise that of the first certificate in its `x5c`, or undefined if it has neither.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-4.7 RFC 7517 §4.7}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-4.9 RFC 7517 §4.9}
 */
export async function thumbprintOfKey(jwk: Jwk): Promise<unknown> {
  if (jwk['x5t#S256'] !== undefined) return jwk['x5t#S256']
  const der = firstCertificateOf(jwk)
  return der && thumbprintOf(der)
}

/** Returns what is wrong with the certificate of a key, or undefined if a client can authenticate with it. */
export async function problemOfCertificate(jwk: Jwk): Promise<string | undefined> {
  const { x5c, 'x5t#S256': thumbprint } = jwk
  if (x5c === undefined && thumbprint === undefined) return 'holds a key with neither x5c nor x5t#S256'
  if (thumbprint !== undefined && !isThumbprint(thumbprint)) return 'holds a key whose x5t#S256 is not a SHA-256 hash'
  if (x5c === undefined) return undefined
  try {
    const certificate = await readCertificate(firstCertificateOf(jwk) ?? new Uint8Array(), false)
    const isSame = thumbprint === undefined || thumbprint === certificate.thumbprint
    return isSame ? undefined : 'holds a key whose x5t#S256 is not that of its x5c'
  } catch {
    return 'holds a key whose x5c does not begin with a certificate'
  }
}

function isThumbprint(value: unknown): boolean {
  try {
    return typeof value === 'string' && decodeBase64url(value).length === SHA_256_BYTES
  } catch {
    return false
  }
}

/** Returns the octets of the first certificate in `x5c`, or undefined if it is not base64. */
function firstCertificateOf({ x5c }: Jwk): Uint8Array<ArrayBuffer> | undefined {
  const [text] = Array.isArray(x5c) ? x5c : []
  if (typeof text !== 'string' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
