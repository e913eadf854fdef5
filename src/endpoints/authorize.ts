/** `/authorize`: this server has no such flow, but clients look for the endpoint. */

import { Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { unsupportedResponseType } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/** @see RFC 6749 §3.1 */
export function authorizeEndpoint(): Endpoint {
  return {
    path: '/authorize',
    metadataMember: 'authorization_endpoint',
    metadata: { response_types_supported: [] },
    routes: () =>
      new Hono<{ Bindings: Connection }>().on(['GET', 'POST'], '/', () => {
        throw unsupportedResponseType()
      }),
  }
}
