/**
 * Secrets that this server generates: `emint_`, then 256 random bits and a checksum as base64url. Secret scanners find them by
 * the prefix, and the checksum reveals a mistyped secret without a look-up.
 */

import { decodeBase64url, encodeBase64url } from '../lib/base64url.ts'
import { crc32 } from '../lib/crc32.ts'

const PREFIX = 'emint_'
const SECRET_OCTETS = 32
const CHECKSUM_OCTETS = 4

/** Returns a new secret. */
export function generateSecret(): string {
  const random = crypto.getRandomValues(new Uint8Array(SECRET_OCTETS))
  const octets = new Uint8Array(SECRET_OCTETS + CHECKSUM_OCTETS)
  octets.set(random)
  new DataView(octets.buffer).setUint32(SECRET_OCTETS, crc32(random))
  return PREFIX + encodeBase64url(octets)
}

/** Returns whether a secret has the prefix of generated secrets. */
export function looksGenerated(secret: string): boolean {
  return secret.startsWith(PREFIX)
}

/** Returns whether a secret that looks generated has the right length and checksum. */
export function isIntact(secret: string): boolean {
  try {
    const octets = decodeBase64url(secret.slice(PREFIX.length))
    if (octets.length !== SECRET_OCTETS + CHECKSUM_OCTETS) return false
    let checksum = 0
    for (let index = SECRET_OCTETS; index < octets.length; index++) checksum = checksum * 256 + (octets[index] ?? 0)
    return crc32(octets, SECRET_OCTETS) === checksum
  } catch {
    return false
  }
}
