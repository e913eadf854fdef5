/** `GET /.well-known/jwks.json`: the keys that verify our tokens. */

import type { Keyring } from '../keys/keyring.ts'
import { publicJson } from './public_document.ts'

/** @see RFC 7517 §5 */
export function jwks(keyring: Keyring, now: number): Response {
  return publicJson(keyring.publishedAt(now), 'application/jwk-set+json')
}
