/** A foreign token as the credentials of a client, wherever in a request it is. */

import { requireAssertion } from '../assertions/assertion.ts'
import type { Presented } from '../features.ts'
import type { AssertionForm } from './checks.ts'
import type { VerifyWorkload } from './verify.ts'

/**
 * Returns the credentials. A request that names no client names it by the `sub` of the token; otherwise `sub` is the name that the
 * issuer gave to the workload, and is not compared with the `client_id`.
 *
 * @param claimed the `client_id` of the request
 * @throws OAuthError `invalid_client` when the token has to name the client and is not a JWT
 */
export function presentWorkload(
  jws: string,
  claimed: string | null,
  form: AssertionForm,
  verify: VerifyWorkload,
): Presented {
  return {
    client_id: claimed || subjectOf(jws),
    // Parsed only now: another method may read the same token and be the one that the client is registered for.
    verify: async (client, context) =>
      verify(requireAssertion(jws), client, { form, use: 'client_authentication' }, context),
  }
}

function subjectOf(jws: string): string {
  const { sub } = requireAssertion(jws).claims
  return typeof sub === 'string' ? sub : ''
}
