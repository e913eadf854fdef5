/** DPoP proofs of a key that lives as long as its process, and cannot leave it. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { digestOf } from '../lib/digest.ts'

/** What a proof is for. */
export interface Proven {
  readonly method: string
  /** Its query and fragment are left out. */
  readonly url: string
  readonly nonce?: string | undefined
  /** The access token that is sent with it. */
  readonly accessToken?: string | undefined
}

export interface Prover {
  /** What `cnf.jkt` of a token that is bound to the key must be. */
  readonly thumbprint: string
  /** Returns a new proof. */
  prove(proven: Proven): Promise<string>
}

/** Generates a key. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export async function makeProver(): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    async prove({ method, url, nonce, accessToken }) {
      const { origin, pathname } = new URL(url)
      const ath = accessToken === undefined ? undefined : await digestOf(accessToken)
      const claims = { htm: method, htu: origin + pathname, ...(nonce && { nonce }), ...(ath && { ath }) }
      return new SignJWT(claims)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .sign(privateKey)
    },
  }
}
