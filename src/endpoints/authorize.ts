/** `/authorize`: refuses every request. The server has no such flow, but some clients require the endpoint in the metadata. */

import { Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { unsupportedResponseType } from '../errors.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Returns the authorization endpoint, which answers `unsupported_response_type`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1 RFC 6749 §3.1}
 */
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
