/** Token exchange. A subject token is accepted in one role only: it is the token of a platform and authenticates the client. */

import { invalidRequest } from '../errors.ts'
import type { ClientAuth, Grant } from '../features.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import { presentWorkload } from '../issuers/present.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import { permitForItself, refusePublic } from './itself.ts'
import { ACCESS_TOKEN, readExchange } from './token_types.ts'

/**
 * Returns the grant. The subject token is that of a federated credential and stands for the credentials of the client, so the
 * client gets a token for itself, with the checks of `federated_jwt` and `spiffe_jwt`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 §2}
 */
export function tokenExchange(verify: VerifyWorkload): Grant {
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    parameters: {
      subject_token: { description: 'Token exchange: the token of a platform, RFC 8693 §2.1' },
      subject_token_type: { description: 'Token exchange: urn:ietf:params:oauth:token-type:jwt or …:id_token' },
      requested_token_type: { description: `Token exchange: ${ACCESS_TOKEN}, the default` },
    },
    clientAuth: [subjectToken('federated_jwt', 'jwt', verify), subjectToken('spiffe_jwt', 'jwt-spiffe', verify)],
    async permit(_request, client, _context, credentials) {
      refusePublic(client)
      if (credentials !== 'subject_token') {
        const description = 'The subject_token must be all that authenticates the client.'
        throw invalidRequest('subject_token_not_alone', description)
      }
      return { ...permitForItself(client), response: { issued_token_type: ACCESS_TOKEN } }
    },
  }
}

/** Returns a method that takes the subject token for what a client of this method would send as its assertion. */
function subjectToken(method: string, form: AssertionForm, verify: VerifyWorkload): ClientAuth {
  return {
    method,
    reads: 'subject_token',
    read: (request) => presentWorkload(readExchange(request.form), request.form.get('client_id'), form, verify),
  }
}
