/** Client authentication with a token of a trusted issuer, the same for `federated_jwt` and `spiffe_jwt`. */

import type { ClientAuth, Presented } from '../features.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { findClientAssertion, parseClientAssertion } from './client_assertion.ts'

/**
 * Returns the reader of a method. The client names itself by `client_id`. A request without one names the client by the `sub` of
 * the token; otherwise `sub` is the name that the issuer gave to the workload, and is not compared with the `client_id`.
 *
 * @param type value of `client_assertion_type`
 */
export function workloadReader(type: string, form: AssertionForm, verify: VerifyWorkload): ClientAuth['read'] {
  return (request): Presented | undefined => {
    const jws = findClientAssertion(request, type)
    if (jws === undefined) return undefined
    return {
      client_id: request.form.get('client_id') || subjectOf(jws),
      // Parsed only now: an assertion of the same type may be for private_key_jwt, which has parsed it already.
      verify: async (client, context) =>
        verify(parseClientAssertion(jws), client, { form, use: 'client_authentication' }, context),
    }
  }
}

function subjectOf(jws: string): string {
  const { sub } = parseClientAssertion(jws).claims
  return typeof sub === 'string' ? sub : ''
}
