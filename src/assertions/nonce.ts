/** Nonces for DPoP proofs, made and recognised without state by everybody who has the same key. */

import { encodeBase64url } from '../lib/base64url.ts'

/** How long one nonce is given out; it is taken for as long again, so that nobody loses the race. */
const PERIOD_SECONDS = 60

const NONCE_BYTES = 16

export interface Nonces {
  /** @param now epoch seconds */
  current(now: number): Promise<string>
  isGood(nonce: unknown, now: number): Promise<boolean>
}

/**
 * @param key for HMAC; all processes and isolates of one issuer have the same
 * @see RFC 9449 §8
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
      // The next one is that of a process whose clock is a little ahead. A nonce is no secret, so it may be compared as a text.
      const good = await Promise.all([0, -1, 1].map((step) => nonceOf(periodOf(now) + step)))
      return typeof nonce === 'string' && good.includes(nonce)
    },
  }
}
