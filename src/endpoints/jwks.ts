/** `GET /.well-known/jwks.json`: the keys that verify our tokens. */

import type { Keyring } from '../keys/keyring.ts'
import { publicText } from './public_document.ts'

/**
 * Returns a function that answers with the keys published at an instant, in epoch seconds.
 *
 * @see RFC 7517 §5
 */
export function jwks(keyring: Keyring): (now: number) => Promise<Response> {
  const respond = publicText('application/jwk-set+json')
  return (now) => respond(JSON.stringify(keyring.publishedAt(now)))
}
