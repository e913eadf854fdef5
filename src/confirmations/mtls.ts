/** Mutual TLS: tokens bound to the certificate of the client's connection. */

import { invalidRequest } from '../errors.ts'
import type { Confirmation } from '../features.ts'

/**
 * Returns the confirmation that binds a token to the client's certificate. Its `confirm` rejects with OAuthError
 * `invalid_request` when a client whose tokens must be bound presents none.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3 RFC 8705 §3}
 */
export function mtls(): Confirmation {
  return {
    method: 'x5t#S256',
    metadata: { tls_client_certificate_bound_access_tokens: true },
    async confirm({ certificate }, client) {
      if (!client.tls_client_certificate_bound_access_tokens) return undefined
      if (certificate === undefined) {
        throw invalidRequest('certificate_required', 'This client must present a certificate.')
      }
      return { cnf: { 'x5t#S256': certificate.thumbprint } }
    },
  }
}
