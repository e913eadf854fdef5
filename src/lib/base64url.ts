/** base64url without padding, RFC 4648 §5. */

export function encodeBase64url(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** @throws TypeError or DOMException on anything else, padding and unused bits included */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]*$/.test(text)) throw new TypeError('not base64url')
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const octets = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  if (encodeBase64url(octets) !== text) throw new TypeError('not canonical base64url')
  return octets
}
