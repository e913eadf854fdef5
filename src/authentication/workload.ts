/** Client authentication with a token of a trusted issuer, the same for `federated_jwt` and `spiffe_jwt`. */

import type { ClientAuth, Presented } from '../features.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import { presentWorkload } from '../issuers/present.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { findClientAssertion } from './client_assertion.ts'

/**
 * Returns the reader of a method.
 *
 * @param type value of `client_assertion_type`
 */
export function workloadReader(type: string, form: AssertionForm, verify: VerifyWorkload): ClientAuth['read'] {
  return (request): Presented | undefined => {
    const jws = findClientAssertion(request, type)
    return jws === undefined ? undefined : presentWorkload(jws, request.form.get('client_id'), form, verify)
  }
}
