/** Tokens bound to the certificate that the client showed. */

import { invalidRequest } from '../errors.ts'
import type { Confirmation } from '../features.ts'

/** @see RFC 8705 §3 */
export function mtls(): Confirmation {
  return {
    method: 'x5t#S256',
    metadata: { tls_client_certificate_bound_access_tokens: true },
    async confirm({ certificate }, client) {
      if (!client.tls_client_certificate_bound_access_tokens) return undefined
      if (certificate === undefined) {
        throw invalidRequest('certificate_required', 'This client must show a certificate.')
      }
      return { cnf: { 'x5t#S256': certificate.thumbprint } }
    },
  }
}
