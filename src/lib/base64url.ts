/** base64url without padding, RFC 4648 §5. */

export function encodeBase64url(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Groups of four, and at the end one of two or three whose unused bits are zero. */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

/** @throws TypeError on anything else, padding and unused bits included */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!CANONICAL.test(text)) throw new TypeError('not canonical base64url')
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const octets = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) octets[index] = binary.charCodeAt(index)
  return octets
}
