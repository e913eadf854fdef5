/** DPoP: tokens bound to a key, whose possession the client proves with each request. */

import { calculateJwkThumbprint, type JWK } from 'jose'
import { type Assertion, readAssertion } from '../assertions/assertion.ts'
import { fittingKeys } from '../assertions/jwk_set.ts'
import type { Nonces } from '../assertions/nonce.ts'
import { claimOnce } from '../assertions/replay.ts'
import { isSignedBy } from '../assertions/signature.ts'
import { invalidDpopProof, useDpopNonce } from '../errors.ts'
import type { Confirmation, Confirmed } from '../features.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { Context, Jwk } from '../types.ts'

/** RS256 is left out: PS256 is the better algorithm for the same keys. */
const ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256']

/** Maximum age of a proof, not counting the skew. */
const MAX_AGE_SECONDS = 60
const SKEW_SECONDS = 30

export interface DpopOptions {
  /** Stores the `jti` of each proof. */
  readonly ledger: Ledger
  /** When present, a proof must hold a current nonce. */
  readonly nonces?: Nonces | undefined
}

/**
 * Returns the confirmation that binds a token to the key of a DPoP proof. Its `confirm` rejects with OAuthError
 * `invalid_dpop_proof` or `use_dpop_nonce`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-5 RFC 9449 §5}
 */
export function dpop({ ledger, nonces }: DpopOptions): Confirmation {
  return {
    method: 'jkt',
    metadata: { dpop_signing_alg_values_supported: ALGORITHMS },
    async confirm({ headers }, client, context): Promise<Confirmed | undefined> {
      const jws = headers.get('DPoP')
      if (jws === null) {
        if (client.dpop_bound_access_tokens)
          throw invalidDpopProof('dpop_missing', 'This client must send a DPoP proof.')
        return undefined
      }
      const proof = readAssertion(jws)
      if (proof === undefined) throw invalidDpopProof('dpop_malformed', 'The DPoP header must be exactly one JWT.')
      const jkt = await verifyKey(proof)
      checkClaims(proof, context)
      const nonce = await nonces?.current(context.now)
      if (nonces !== undefined && !(await nonces.isGood(proof.claims['nonce'], context.now))) {
        throw useDpopNonce(nonce ?? '')
      }
      const mark = markOf(proof, jkt)
      return {
        cnf: { jkt },
        tokenType: 'DPoP',
        ...(nonce !== undefined && { headers: { 'DPoP-Nonce': nonce } }),
        claim: async () => {
          if (!(await claimOnce(ledger, mark.parts, mark.expiresAt))) {
            throw invalidDpopProof('dpop_replayed', 'The DPoP proof was used before.')
          }
        },
      }
    },
  }
}

/** Verifies the header and the signature, RFC 9449 §4.3 items 3 to 7, and returns the thumbprint of the key. */
async function verifyKey({ jws, header }: Assertion): Promise<string> {
  const { typ, alg, jwk } = header
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt' || 'crit' in header || 'b64' in header) {
    throw invalidDpopProof('dpop_header_wrong', 'The typ of a DPoP proof must be dpop+jwt, without crit.')
  }
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg)) {
    throw invalidDpopProof('dpop_alg_not_allowed', `The alg of a DPoP proof must be one of ${ALGORITHMS.join(', ')}.`)
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
function checkClaims({ claims }: Assertion, { tokenEndpoint, now }: Context): void {
  if (claims['htm'] !== 'POST') throw invalidDpopProof('dpop_htm_wrong', 'The htm of the DPoP proof is not POST.')
  if (typeof claims['htu'] !== 'string' || targetOf(claims['htu']) !== targetOf(tokenEndpoint)) {
    throw invalidDpopProof('dpop_htu_wrong', 'The htu of the DPoP proof is not the URL of this endpoint.')
  }
  const { iat } = claims
  const isRecent = typeof iat === 'number' && iat <= now + SKEW_SECONDS && iat > now - MAX_AGE_SECONDS - SKEW_SECONDS
  if (!isRecent) throw invalidDpopProof('dpop_iat_wrong', 'The iat of the DPoP proof is not within the last minute.')
}

/** Returns a URL without its query and fragment, undefined when the text is not a URL. */
function targetOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return origin + pathname
}

/** Returns what identifies a proof, and the epoch seconds until which it could be replayed, RFC 9449 §11.1. */
function markOf({ claims }: Assertion, jkt: string): { readonly parts: readonly string[]; readonly expiresAt: number } {
  const { jti, iat } = claims
  if (typeof jti !== 'string' || jti === '') throw invalidDpopProof('dpop_jti_missing', 'The DPoP proof has no jti.')
  return { parts: ['dpop', jkt, jti], expiresAt: Math.ceil(Number(iat)) + MAX_AGE_SECONDS + SKEW_SECONDS }
}
