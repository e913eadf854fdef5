/** Key-encryption keys that a key management service has encrypted. */

import { refreshed } from '../lib/refreshed.ts'
import type { KeyUrl } from './key_url.ts'
import { type KeyServiceOptions, openKey } from './open_key.ts'
import { failed, MAX_CALL_SECONDS, toFailure } from './transport.ts'

const KEY_BYTES = 32

/**
 * Returns a function that returns the key-encryption key of a URL with a `ciphertext`. The service decrypts it when it is first needed,
 * once; a failure is tried again after 1 to 30 seconds.
 *
 * @param issuer the ciphertext is bound to
 */
export function wrappedKey(
  url: KeyUrl,
  issuer: string,
  options: KeyServiceOptions,
): () => Promise<Uint8Array<ArrayBuffer>> {
  const client = openKey(url, options)
  const find = refreshed({
    load: async () => {
      const key = await client.decrypt(url.ciphertext ?? '', issuer)
      if (key.length !== KEY_BYTES) throw failed(`what the service decrypts is not a key of ${KEY_BYTES} octets`)
      return key
    },
    now: options.now,
    freshSeconds: Number.POSITIVE_INFINITY,
    maxLoadSeconds: MAX_CALL_SECONDS,
  })
  return () => find().catch(toFailure)
}

/**
 * Makes a key-encryption key, and returns the URL with its ciphertext. The key itself is not kept.
 *
 * @param text URL of the key that encrypts it
 */
export async function wrapNewKey(
  text: string,
  url: KeyUrl,
  issuer: string,
  options: KeyServiceOptions,
): Promise<string> {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const ciphertext = await openKey(url, options).encrypt(key, issuer)
  return `${text}?${new URLSearchParams({ ciphertext })}`
}
