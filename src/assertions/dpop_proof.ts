/** DPoP proofs: what the token endpoint and resource servers check alike. */

import { calculateJwkThumbprint, type JWK } from 'jose'
import { invalidDpopProof } from '../errors.ts'
import type { Jwk } from '../types.ts'
import { type Assertion, readAssertion } from './assertion.ts'
import { fittingKeys } from './fitting_keys.ts'
import { isSignedBy } from './signature.ts'

/** RS256 is left out: PS256 is the better algorithm for the same keys. */
export const DPOP_ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256']

/** Maximum age of a proof, not counting the skew. */
const MAX_AGE_SECONDS = 60
const SKEW_SECONDS = 30

/** The request that a proof must be for. */
export interface ProvenRequest {
  readonly method: string
  /** Its query and fragment do not count. */
  readonly url: string
  /** Epoch seconds. */
  readonly now: number
}

/** A verified proof. It may have been used before, and its nonce is not checked. */
export interface DpopProof {
  /** Thumbprint of its key, RFC 7638. */
  readonly jkt: string
  readonly claims: Assertion['claims']
  /** What identifies the proof among all proofs. */
  readonly identity: readonly string[]
  /** Epoch seconds from which it is refused as too old. */
  readonly expiresAt: number
}

/**
 * Returns a verified proof.
 *
 * @throws OAuthError `invalid_dpop_proof`
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3}
 */
export async function verifyDpopProof(jws: string, request: ProvenRequest): Promise<DpopProof> {
  const proof = readAssertion(jws)
  if (proof === undefined) throw invalidDpopProof('dpop_malformed', 'The DPoP header must be exactly one JWT.')
  const jkt = await verifyKey(proof)
  const { claims } = proof
  checkClaims(claims, request)
  const { jti, iat } = claims
  if (typeof jti !== 'string' || jti === '') throw invalidDpopProof('dpop_jti_missing', 'The DPoP proof has no jti.')
  const expiresAt = Math.ceil(Number(iat)) + MAX_AGE_SECONDS + SKEW_SECONDS
  return { jkt, claims, identity: ['dpop', jkt, jti], expiresAt }
}

/** Verifies the header and the signature, RFC 9449 §4.3 items 3 to 7, and returns the thumbprint of the key. */
async function verifyKey({ jws, header }: Assertion): Promise<string> {
  const { typ, alg, jwk } = header
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt' || 'crit' in header || 'b64' in header) {
    throw invalidDpopProof('dpop_header_wrong', 'The typ of a DPoP proof must be dpop+jwt, without crit.')
  }
  if (typeof alg !== 'string' || !DPOP_ALGORITHMS.includes(alg)) {
    const names = DPOP_ALGORITHMS.join(', ')
    throw invalidDpopProof('dpop_alg_not_allowed', `The alg of a DPoP proof must be one of ${names}.`)
  }
  const isObject = typeof jwk === 'object' && jwk !== null
  const [key] = isObject ? fittingKeys([jwk as Jwk], alg, undefined) : []
  if (key === undefined)
    throw invalidDpopProof('dpop_key_wrong', 'The jwk of a DPoP proof must be a public key for its alg.')
  if (!(await isSignedBy(jws, key, alg))) {
    throw invalidDpopProof('dpop_signature_wrong', 'The signature of the DPoP proof does not verify.')
  }
  return calculateJwkThumbprint(key as unknown as JWK)
}

/** RFC 9449 §4.3 items 8, 9 and 11. */
function checkClaims({ htm, htu, iat }: Assertion['claims'], { method, url, now }: ProvenRequest): void {
  if (htm !== method) throw invalidDpopProof('dpop_htm_wrong', `The htm of the DPoP proof is not ${method}.`)
  if (typeof htu !== 'string' || targetOf(htu) !== targetOf(url)) {
    throw invalidDpopProof('dpop_htu_wrong', 'The htu of the DPoP proof is not the URL of this endpoint.')
  }
  const isRecent = typeof iat === 'number' && iat <= now + SKEW_SECONDS && iat > now - MAX_AGE_SECONDS - SKEW_SECONDS
  if (!isRecent) throw invalidDpopProof('dpop_iat_wrong', 'The iat of the DPoP proof is not within the last minute.')
}

/** Returns a URL without its query and fragment, undefined when the text is not a URL. */
function targetOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return origin + pathname
}
