/** The parameters of a client assertion, which several methods read. */

import { type Assertion, readAssertion } from '../assertions/assertion.ts'
import { invalidClient, invalidRequest } from '../errors.ts'
import type { FormRequest } from '../types.ts'

/** RFC 7523 §2.2. */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Returns the text of the assertion of a request, undefined when it has none of this type: another type is left to another method,
 * and `authenticate` refuses a type that no method reads.
 *
 * @throws OAuthError `invalid_request` when the type has no assertion
 * @see {@link https://www.rfc-editor.org/rfc/rfc7521#section-4.2 RFC 7521 §4.2}
 */
export function findClientAssertion({ form }: FormRequest, type: string): string | undefined {
  if (form.get('client_assertion_type') !== type) return undefined
  const jws = form.get('client_assertion')
  if (jws === null) throw invalidRequest('assertion_missing', 'The parameter client_assertion is missing.')
  return jws
}

/**
 * Returns a parsed client assertion.
 *
 * @throws OAuthError `invalid_client` when it is not a JWT
 */
export function parseClientAssertion(jws: string): Assertion {
  const assertion = readAssertion(jws)
  if (assertion === undefined) throw invalidClient('assertion_malformed')
  return assertion
}
