/** DPoP proofs: what the token endpoint and resource servers check alike. */

import { calculateJwkThumbprint, type JWK } from 'jose'
import { invalidDpopProof } from '../errors.ts'
import type { Lru } from '../lib/lru.ts'
import type { Jwk } from '../types.ts'
import { type Assertion, readAssertion } from './assertion.ts'
import { fittingKeys } from './fitting_keys.ts'
import { importVerifier, type VerifyJws } from './imported_key.ts'

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

/** A key that has sent proofs. */
interface ProofKey {
  readonly jkt: string
  readonly verify: VerifyJws
}

/** Keys by the header of their proofs, so that a client that sends many has its key imported once. */
export type ProofKeys = Lru<ProofKey>

/** Longer headers, such as those with certificates, are read again each time. */
const MAX_HELD_CHARACTERS = 1024

/**
 * Returns a verified proof.
 *
 * @param keys those of earlier proofs
 * @throws OAuthError `invalid_dpop_proof`
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3}
 */
export async function verifyDpopProof(jws: string, request: ProvenRequest, keys?: ProofKeys): Promise<DpopProof> {
  const proof = readAssertion(jws)
  if (proof === undefined) throw invalidDpopProof('dpop_malformed', 'The DPoP header must be exactly one JWT.')
  const header = jws.slice(0, jws.indexOf('.'))
  const held = keys?.get(header)
  const key = held ?? (await readKey(proof))
  if (!(await key.verify(jws))) {
    throw invalidDpopProof('dpop_signature_wrong', 'The signature of the DPoP proof does not verify.')
  }
  if (held === undefined && header.length <= MAX_HELD_CHARACTERS) keys?.set(header, key)
  const { claims } = proof
  checkClaims(claims, request)
  const { jti, iat } = claims
  if (typeof jti !== 'string' || jti === '') throw invalidDpopProof('dpop_jti_missing', 'The DPoP proof has no jti.')
  const expiresAt = Math.ceil(Number(iat)) + MAX_AGE_SECONDS + SKEW_SECONDS
  return { jkt: key.jkt, claims, identity: ['dpop', key.jkt, jti], expiresAt }
}

/** Checks the header, RFC 9449 §4.3 items 4 to 7, and returns the key that it holds. */
async function readKey({ header }: Assertion): Promise<ProofKey> {
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
  // A point that is not on its curve is found by the import, or by the verification.
  const verify = await importVerifier(key, alg).catch((): VerifyJws => async () => false)
  return { jkt: await calculateJwkThumbprint(key as unknown as JWK), verify }
}

/** RFC 9449 §4.3 items 8, 9 and 11. */
function checkClaims({ htm, htu, iat }: Assertion['claims'], { method, url, now }: ProvenRequest): void {
  if (htm !== method) throw invalidDpopProof('dpop_htm_wrong', `The htm of the DPoP proof is not ${method}.`)
  // Two texts that are no URLs are not the same URL.
  const target = typeof htu === 'string' ? targetOf(htu) : undefined
  if (target === undefined || target !== targetOf(url)) {
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
