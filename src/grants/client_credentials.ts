/** The client credentials grant: a client gets a token for itself. */

import type { Grant } from '../features.ts'
import type { Permit } from '../permit.ts'
import type { Client } from '../types.ts'
import { permitForItself, refusePublic } from './itself.ts'

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
      refusePublic(client)
      const held = permits.get(client)
      if (held !== undefined) return held
      const permit = permitForItself(client)
      permits.set(client, permit)
      return permit
    },
  }
}
