/** The client credentials grant: a client gets a token for itself. */

import { unauthorizedClient } from '../errors.ts'
import type { Grant } from '../features.ts'
import { splitScope } from '../policy/scope.ts'

/**
 * Returns the grant, which permits what the client's record allows and refuses public clients.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}
 */
export function clientCredentials(): Grant {
  return {
    grantType: 'client_credentials',
    async permit(_request, client) {
      if (client.token_endpoint_auth_method === 'none') {
        throw unauthorizedClient('client_public', 'A public client cannot use this grant.')
      }
      return {
        subject: client.client_id,
        scope: splitScope(client.scope ?? ''),
        defaultScope: splitScope(client.default_scope ?? ''),
        resources: client.resources ?? [],
      }
    },
  }
}
