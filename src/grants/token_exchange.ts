/** Token exchange: of an access token of this server, or of the token of a platform, which authenticates the client. */

import { invalidRequest } from '../errors.ts'
import type { ClientAuth, Grant } from '../features.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import { presentWorkload } from '../issuers/present.ts'
import type { VerifyWorkload } from '../issuers/verify.ts'
import type { FindActive } from '../tokens/active_token.ts'
import { permitForItself, refusePublic } from './itself.ts'
import { permitExchange } from './own_token_exchange.ts'
import { ACCESS_TOKEN, readExchange } from './token_types.ts'

/**
 * Returns the grant. The token of a platform is that of a federated credential and stands for the credentials of the client, so the
 * client gets a token for itself, with the checks of `federated_jwt` and `spiffe_jwt`. An access token of this server is exchanged by
 * a client that authenticates otherwise.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 §2}
 * @param findActive finds tokens of this server; without it they cannot be exchanged, because no denial of them would be seen
 */
export function tokenExchange(verify: VerifyWorkload, findActive?: FindActive): Grant {
  const offersOwn = findActive !== undefined
  const ofPlatform = (method: string, form: AssertionForm): ClientAuth => subjectToken(method, form, verify, offersOwn)
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    parameters: {
      subject_token: { description: 'Token exchange: an access token, or the token of a platform, RFC 8693 §2.1' },
      subject_token_type: {
        description: `Token exchange: ${ACCESS_TOKEN}, or …:jwt or …:id_token for the token of a platform`,
      },
      actor_token: { description: 'Token exchange: an access token of the client, whose subject becomes the actor' },
      actor_token_type: { description: `Token exchange: ${ACCESS_TOKEN}` },
      requested_token_type: { description: `Token exchange: ${ACCESS_TOKEN}, the default` },
    },
    clientAuth: [ofPlatform('federated_jwt', 'jwt'), ofPlatform('spiffe_jwt', 'jwt-spiffe')],
    async permit(request, client, context, credentials) {
      refusePublic(client)
      if (findActive !== undefined && request.form.get('subject_token_type') === ACCESS_TOKEN) {
        return permitExchange(readExchange(request.form, offersOwn), request, client, context, findActive)
      }
      if (credentials !== 'subject_token') {
        const description = 'The subject_token must be all that authenticates the client.'
        throw invalidRequest('subject_token_not_alone', description)
      }
      return { ...permitForItself(client), response: { issued_token_type: ACCESS_TOKEN } }
    },
  }
}

/** Returns a method that takes the subject token for what a client of this method would send as its assertion. */
function subjectToken(method: string, form: AssertionForm, verify: VerifyWorkload, offersOwn: boolean): ClientAuth {
  return {
    method,
    reads: 'subject_token',
    read(request) {
      const { subjectToken: jws, isOwn } = readExchange(request.form, offersOwn)
      return isOwn ? undefined : presentWorkload(jws, request.form.get('client_id'), form, verify)
    },
  }
}
