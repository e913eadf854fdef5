/** base64url without padding, {@link https://www.rfc-editor.org/rfc/rfc4648#section-5 RFC 4648 §5}. */

export function encodeBase64url(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Groups of four characters, then at most one group of two or three whose unused bits are zero. */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

/** @throws TypeError if the text is not canonical: padding, other characters, or unused bits that are not zero */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!CANONICAL.test(text)) throw new TypeError('not canonical base64url')
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const octets = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) octets[index] = binary.charCodeAt(index)
  return octets
}
