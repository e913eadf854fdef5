/** The value of KEY_ENCRYPTION_KEYS whose keys a key management service has encrypted. */

import { encodeBase64url } from '../lib/base64url.ts'
import { isKeyUrl, type KeyUrl, readKeyUrl } from './key_url.ts'
import type { KeyServiceOptions } from './open_key.ts'
import { wrappedKey } from './wrapped_key.ts'

/** An entry, `id:URL` or `id:KEY`. */
interface Entry {
  readonly id: string
  readonly value: string
  /** Undefined if the value is the key itself. */
  readonly url: KeyUrl | undefined
}

/**
 * Returns the URLs in a text of comma-separated entries.
 *
 * @throws TypeError whose message is the end of a sentence and quotes no part of the text
 */
export function keyEncryptionUrls(text: string): { readonly urls: readonly KeyUrl[] } {
  return { urls: entriesOf(text).flatMap(({ url }) => url ?? []) }
}

/**
 * Returns a function that returns the text with a key in the place of each URL. The services decrypt the keys when they are first needed.
 *
 * @param issuer that the ciphertexts are bound to
 * @throws TypeError as {@link keyEncryptionUrls} does
 */
export function unwrapKeyEncryptionKeys(
  text: string,
  issuer: string,
  services: KeyServiceOptions,
): () => Promise<string> {
  const finds = entriesOf(text).map(({ id, value, url }) => {
    if (url === undefined) return async () => `${id}:${value}`
    const find = wrappedKey(url, issuer, services)
    return async () => `${id}:${encodeBase64url(await find())}`
  })
  return async () => (await Promise.all(finds.map((find) => find()))).join()
}

function entriesOf(text: string): readonly Entry[] {
  return text.split(',').map((entry) => {
    const [id = '', value = ''] = entry.trim().split(/:(.*)/s, 2)
    const url = isKeyUrl(value) ? readKeyUrl(value) : undefined
    if (url !== undefined && url.ciphertext === undefined)
      throw new TypeError('has a URL without a ciphertext; edgemint keys wrap makes one')
    return { id, value, url }
  })
}
