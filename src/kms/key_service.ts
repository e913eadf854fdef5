/** What a key management service does for this server. */

import type { JWK } from 'jose'

/** A version of a key, as the service describes it. */
export interface KeyVersion {
  /** What the service calls it. */
  readonly name: string
  /** With its `alg`. */
  readonly publicJwk: JWK
  /** Epoch seconds from which it signs; until then it is announced. */
  readonly signsFrom: number
}

/**
 * A key in a key management service. Everything rejects with OAuthError `temporarily_unavailable`, status 503, when the service does
 * not do it.
 */
export interface ServiceClient {
  /** Encrypts at most 4 KiB. The context is needed again to decrypt. */
  encrypt(plaintext: Uint8Array, context: string): Promise<string>
  decrypt(ciphertext: string, context: string): Promise<Uint8Array<ArrayBuffer>>
  /** Returns the versions that sign or have signed, the newest first. */
  readVersions(): Promise<readonly KeyVersion[]>
  /** Returns the signature of a version in the form of JWS, RFC 7518 §3. */
  sign(version: KeyVersion, input: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
}

/** The digest that is signed for an `alg`; EdDSA signs the input itself. */
export async function digestFor(alg: string, input: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest(alg === 'ES384' ? 'SHA-384' : 'SHA-256', input))
}
