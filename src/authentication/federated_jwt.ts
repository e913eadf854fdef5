/** Client authentication with a token that the platform of the client issued, such as that of a CI job or a pod. */

import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import type { ClientAuth } from '../features.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { JWT_BEARER } from './client_assertion.ts'
import { workloadReader } from './workload.ts'

/**
 * Returns the method `federated_jwt`. The assertion is that of RFC 7523, but its issuer and subject are those of the platform.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7521#section-4.2 RFC 7521 §4.2}
 */
export function federatedJwt(verify: VerifyWorkload): ClientAuth {
  return {
    method: 'federated_jwt',
    reads: 'assertion',
    metadata: { token_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS.keys()] },
    read: workloadReader(JWT_BEARER, 'jwt', verify),
  }
}
