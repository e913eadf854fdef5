/** DPoP: tokens bound to a key, whose possession the client proves with each request. */

import { DPOP_ALGORITHMS, verifyDpopProof } from '../assertions/dpop_proof.ts'
import type { Nonces } from '../assertions/nonce.ts'
import { claimOnce } from '../assertions/replay.ts'
import { invalidDpopProof, useDpopNonce } from '../errors.ts'
import type { Confirmation, Confirmed } from '../features.ts'
import type { Ledger } from '../stores/contracts.ts'

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
    metadata: { dpop_signing_alg_values_supported: DPOP_ALGORITHMS },
    async confirm({ headers }, client, context): Promise<Confirmed | undefined> {
      const jws = headers.get('DPoP')
      if (jws === null) {
        if (client.dpop_bound_access_tokens)
          throw invalidDpopProof('dpop_missing', 'This client must send a DPoP proof.')
        return undefined
      }
      const { tokenEndpoint: url, now } = context
      const { jkt, claims, identity, expiresAt } = await verifyDpopProof(jws, { method: 'POST', url, now })
      const nonce = await nonces?.current(now)
      if (nonces !== undefined && !(await nonces.isGood(claims['nonce'], now))) {
        throw useDpopNonce(nonce ?? '')
      }
      return {
        cnf: { jkt },
        tokenType: 'DPoP',
        ...(nonce !== undefined && { headers: { 'DPoP-Nonce': nonce } }),
        claim: async () => {
          if (!(await claimOnce(ledger, identity, expiresAt))) {
            throw invalidDpopProof('dpop_replayed', 'The DPoP proof was used before.')
          }
        },
      }
    },
  }
}
