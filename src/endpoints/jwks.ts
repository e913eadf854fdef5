/** `GET /.well-known/jwks.json`: the keys that verify our tokens. */

import type { Keyring } from '../keys/keyring.ts'

const MAX_AGE_SECONDS = 300

/** @see RFC 7517 §5 */
export function jwks({ jwks }: Keyring): Response {
  return new Response(JSON.stringify(jwks), {
    headers: { 'Content-Type': 'application/jwk-set+json', 'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}` },
  })
}
