/** Keys for purposes beside signing, made from the setting that all processes and isolates of one issuer share. */

/**
 * Derives an HMAC key.
 *
 * @param secret 16 octets of entropy or more
 * @param purpose so that no two purposes have the same key
 * @see RFC 5869
 */
export async function deriveHmacKey(secret: string, purpose: string): Promise<CryptoKey> {
  const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
  const material = await crypto.subtle.importKey('raw', encode(secret), 'HKDF', false, ['deriveKey'])
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encode(`edgemint ${purpose}`) }
  return crypto.subtle.deriveKey(hkdf, material, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'])
}
