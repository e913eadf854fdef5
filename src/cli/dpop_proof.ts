/** DPoP proofs of a key that lives as long as the command. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

export interface Prover {
  /** What `cnf.jkt` of a token that is bound to the key must be. */
  readonly thumbprint: string
  /** Returns a new proof for a POST request. */
  prove(url: string, nonce?: string): Promise<string>
}

/** Generates a key. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export async function makeProver(): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (htu, nonce) =>
      new SignJWT({ htm: 'POST', htu, ...(nonce !== undefined && { nonce }) })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .sign(privateKey),
  }
}
