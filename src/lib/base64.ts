/** base64 with padding, {@link https://www.rfc-editor.org/rfc/rfc4648#section-4 RFC 4648 §4}. */

export function encodeBase64(octets: Uint8Array): string {
  return btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(''))
}

/** @throws TypeError if the text is not base64 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    throw new TypeError('not base64')
  }
}
