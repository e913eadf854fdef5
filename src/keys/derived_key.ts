/** Keys for purposes other than signing, derived from the setting that all processes and isolates of an issuer share. */

/**
 * Derives an HMAC key.
 *
 * @param secret holds at least 16 octets of entropy
 * @param purpose goes into the derivation, so each purpose has its own key
 * @see {@link https://www.rfc-editor.org/rfc/rfc5869 RFC 5869}
 */
export async function deriveHmacKey(secret: string, purpose: string): Promise<CryptoKey> {
  const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
  const material = await crypto.subtle.importKey('raw', encode(secret), 'HKDF', false, ['deriveKey'])
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encode(`edgemint ${purpose}`) }
  return crypto.subtle.deriveKey(hkdf, material, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'])
}
