/** Client authentication with a token of a trusted issuer, the same for `federated_jwt` and `spiffe_jwt`. */

import type { ClientAuth } from '../features.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { readClientAssertion } from './client_assertion.ts'

/**
 * Returns the reader of a method. The client names itself by `client_id`. A request without one names the client by the `sub` of
 * the token; otherwise `sub` is the name that the issuer gave to the workload, and is not compared with the `client_id`.
 *
 * @param type value of `client_assertion_type`
 */
export function workloadReader(type: string, form: AssertionForm, verify: VerifyWorkload): ClientAuth['read'] {
  return (request) => {
    const assertion = readClientAssertion(request, type)
    if (assertion === undefined) return undefined
    const { sub } = assertion.claims
    return {
      client_id: request.form.get('client_id') || (typeof sub === 'string' ? sub : ''),
      verify: (client, context) => verify(assertion, client, { form, use: 'client_authentication' }, context),
    }
  }
}
