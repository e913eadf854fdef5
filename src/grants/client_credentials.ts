/** The client credentials grant: a client gets a token for itself. */

import { unauthorizedClient } from '../errors.ts'
import type { Grant, Permit } from '../features.ts'
import { splitScope } from '../policy/scope.ts'
import type { Client } from '../types.ts'

/**
 * Returns the grant, which permits what the client's record allows and refuses public clients.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}
 */
export function clientCredentials(): Grant {
  const permits = new WeakMap<Client, Permit>()
  return {
    grantType: 'client_credentials',
    isReusable: true,
    async permit(_request, client) {
      if (client.token_endpoint_auth_method === 'none') {
        throw unauthorizedClient('client_public', 'A public client cannot use this grant.')
      }
      const held = permits.get(client)
      if (held !== undefined) return held
      const permit = permitOf(client)
      permits.set(client, permit)
      return permit
    },
  }
}

function permitOf({ client_id, scope = '', default_scope = '', resources = [] }: Client): Permit {
  return { subject: client_id, scope: splitScope(scope), defaultScope: splitScope(default_scope), resources }
}
