/** base64url without padding, {@link https://www.rfc-editor.org/rfc/rfc4648#section-5 RFC 4648 §5}. */

export function encodeBase64url(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The value of each character by its code; -1 for what is not of the alphabet. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

/** @throws TypeError if the text is not canonical: padding, other characters, or unused bits that are not zero */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(Math.floor((text.length * 3) / 4))
  let [bits, count, length] = [0, 0, 0]
  for (let index = 0; index < text.length; index++) {
    const value = VALUES[text.charCodeAt(index)] ?? -1
    if (value < 0) throw new TypeError('not canonical base64url')
    bits = (bits << 6) | value
    count += 6
    if (count < 8) continue
    count -= 8
    octets[length++] = bits >> count
    bits &= (1 << count) - 1
  }
  // Six bits are left of a group of one character, which encodes nothing.
  if (bits !== 0 || count === 6) throw new TypeError('not canonical base64url')
  return octets
}
