/** Validation of the keys in a client's metadata. */

import { fittingKeys } from '../assertions/fitting_keys.ts'
import { problemOfKey } from '../assertions/public_key.ts'
import { isPrivate } from '../assertions/public_members.ts'
import { problemOfCertificate } from '../certificates/jwk_certificate.ts'
import type { Client, Jwk } from '../types.ts'

type Keyed = Pick<Client, 'jwks' | 'token_endpoint_auth_method' | 'token_endpoint_auth_signing_alg'>

/** Returns an error text that begins with the name of a member, or undefined if the client can authenticate with the keys. */
export async function problemOfKeys(metadata: Keyed): Promise<string | undefined> {
  const { jwks, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = metadata
  for (const key of jwks?.keys ?? []) {
    // A key that only contains a certificate does not have to be able to sign assertions.
    const problem = await (method === 'self_signed_tls_client_auth' ? problemOfCarrier(key) : problemOfKey(key))
    if (problem !== undefined) return `jwks: ${problem}`
  }
  // The algorithm has no effect with other methods, OpenID Connect Dynamic Client Registration 1.0 §2.
  const isBound = method === 'private_key_jwt' && jwks !== undefined && alg !== undefined
  const isUseless = isBound && fittingKeys(jwks.keys, alg, undefined).length === 0
  return isUseless ? 'token_endpoint_auth_signing_alg: no key in jwks is for this algorithm' : undefined
}

async function problemOfCarrier(key: Jwk): Promise<string | undefined> {
  return isPrivate(key) ? 'holds a private or symmetric key' : problemOfCertificate(key)
}
