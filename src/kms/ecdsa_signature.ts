/** ECDSA signatures in the two forms that they have. */

import { childrenOf, readDer, TAG } from '../lib/der.ts'

/**
 * Returns an ECDSA signature in DER, RFC 3279 §2.2.3, in the form of JWS: r and s, each of `size` octets.
 *
 * @throws TypeError when it is not one
 * @see {@link https://www.rfc-editor.org/rfc/rfc7518#section-3.4 RFC 7518 §3.4}
 */
export function jwsSignatureOf(der: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const numbers = childrenOf(readDer(der))
  if (numbers.length !== 2) throw new TypeError('not an ECDSA signature')
  const signature = new Uint8Array(2 * size)
  for (const [index, { tag, content }] of numbers.entries()) {
    const digits = content[0] === 0 ? content.subarray(1) : content
    if (tag !== TAG.integer || digits.length > size) throw new TypeError('not an ECDSA signature of this curve')
    signature.set(digits, (index + 1) * size - digits.length)
  }
  return signature
}
