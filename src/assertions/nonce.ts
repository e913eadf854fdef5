/** Stateless nonces for DPoP proofs: every process with the same key makes and recognises the same nonces. */

import { encodeBase64url } from '../lib/base64url.ts'

/** Time for which a nonce is the current one. It is accepted for one more period, so that a client has time to use it. */
const PERIOD_SECONDS = 60

const NONCE_BYTES = 16

/** The nonces of an issuer. Instants are epoch seconds. */
export interface Nonces {
  /** Returns the nonce to send to clients. */
  current(now: number): Promise<string>
  /** Returns whether a proof with this nonce is acceptable. */
  isGood(nonce: unknown, now: number): Promise<boolean>
}

/**
 * Returns the nonces derived from a key.
 *
 * @param key an HMAC key that all processes and isolates of the issuer share
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 RFC 9449 §8}
 */
export function nonces(key: CryptoKey): Nonces {
  const nonceOf = async (period: number): Promise<string> => {
    const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`dpop-nonce:${period}`))
    return encodeBase64url(new Uint8Array(mac, 0, NONCE_BYTES))
  }
  const periodOf = (now: number): number => Math.floor(now / PERIOD_SECONDS)
  return {
    current: (now) => nonceOf(periodOf(now)),
    async isGood(nonce, now) {
      // The next nonce comes from a process whose clock is ahead. A nonce is not secret: no constant-time comparison is needed.
      const good = await Promise.all([0, -1, 1].map((step) => nonceOf(periodOf(now) + step)))
      return typeof nonce === 'string' && good.includes(nonce)
    },
  }
}
