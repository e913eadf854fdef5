/** A key that signs in a key management service. */

import { type CryptoKey, importJWK } from 'jose'
import { type SigningKey, signerOf, toPublishedKey } from '../keys/signing_key.ts'
import type { KeyVersion, ServiceClient } from './key_service.ts'
import { failed, toFailure } from './transport.ts'

/**
 * Returns a signing key whose private half stays in the service. Each signature is verified before it is used: one that is wrong would
 * otherwise be found by a resource server.
 *
 * @throws TypeError when the key is too weak
 */
export async function remoteSigningKey(version: KeyVersion, client: ServiceClient): Promise<SigningKey> {
  const { signing, ...published } = await toPublishedKey(version.publicJwk)
  const publicKey = (await importJWK(published.publicJwk, published.alg)) as CryptoKey
  return signerOf({ ...published, signsFrom: version.signsFrom, publicKey }, async (input) => {
    const signature = new Uint8Array(await client.sign(version, input).catch(toFailure))
    if (await crypto.subtle.verify(signing, publicKey, signature, input)) return signature.buffer
    throw failed(`the signature by the key ${published.kid} is wrong`)
  })
}
