/** Public keys that are imported once and verify many JWSs. */

import { type CryptoKey, importJWK, type JWK } from 'jose'
import { decodeBase64url } from '../lib/base64url.ts'
import type { Jwk } from '../types.ts'

/** Returns whether the key signed a JWS in compact serialization, whose `alg` has been checked. Rejects for no text. */
export type VerifyJws = (jws: string) => Promise<boolean>

const encoder = new TextEncoder()

/**
 * Returns a verifier for a public key and one of the algorithms of `ASSERTION_ALGORITHMS`. Rejects when the key cannot be imported.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7518#section-3 RFC 7518 §3}
 */
export async function importVerifier(jwk: Jwk, alg: string): Promise<VerifyJws> {
  const key = (await importJWK({ ...jwk, alg } as unknown as JWK, alg)) as CryptoKey
  const parameters = parametersOf(alg)
  return async (jws) => {
    const end = jws.lastIndexOf('.')
    try {
      const signature = decodeBase64url(jws.slice(end + 1))
      return await crypto.subtle.verify(parameters, key, signature, encoder.encode(jws.slice(0, end)))
    } catch {
      return false
    }
  }
}

function parametersOf(alg: string): AlgorithmIdentifier | RsaPssParams | EcdsaParams {
  const bits = Number(alg.slice(2))
  if (alg.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5' }
  if (alg.startsWith('PS')) return { name: 'RSA-PSS', saltLength: bits / 8 }
  if (alg.startsWith('ES')) return { name: 'ECDSA', hash: `SHA-${bits}` }
  return { name: 'Ed25519' }
}
