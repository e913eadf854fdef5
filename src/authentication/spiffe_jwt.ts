/** Client authentication with a JWT-SVID of SPIFFE. */

import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import type { ClientAuth } from '../features.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { workloadReader } from './workload.ts'

const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/**
 * Returns the method `spiffe_jwt`.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-oauth-spiffe-client-auth/ draft-ietf-oauth-spiffe-client-auth}
 * @see {@link https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md JWT-SVID}
 */
export function spiffeJwt(verify: VerifyWorkload): ClientAuth {
  return {
    method: 'spiffe_jwt',
    reads: 'assertion',
    metadata: { token_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS.keys()] },
    read: workloadReader(JWT_SPIFFE, 'jwt-spiffe', verify),
  }
}
