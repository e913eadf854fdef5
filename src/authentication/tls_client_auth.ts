/** Client authentication with a certificate that a CA issued in the name of the client. */

import { CERTIFICATE_NAMES, NAME_MEMBERS } from '../clients/certificate_names.ts'
import type { ClientAuth } from '../features.ts'
import type { CertificateReason } from '../reasons.ts'
import type { Client, ClientCertificate } from '../types.ts'

/**
 * Returns the method `tls_client_auth`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1 RFC 8705 §2.1}
 */
export function tlsClientAuth(): ClientAuth {
  return {
    method: 'tls_client_auth',
    reads: 'connection',
    read({ form, certificate }) {
      return {
        client_id: form.get('client_id') ?? '',
        verify: async (client, { now }) => check(client, certificate, now),
      }
    },
  }
}

function check(client: Client, certificate: ClientCertificate | undefined, now: number): CertificateReason | undefined {
  if (certificate === undefined) return 'certificate_missing'
  if (!certificate.isVerified) return 'certificate_not_verified'
  if (!(certificate.notBefore <= now && now <= certificate.notAfter)) return 'certificate_not_current'
  const [member, another] = NAME_MEMBERS.filter((each) => client[each] !== undefined)
  if (member === undefined || another !== undefined) return 'certificate_name_unregistered'
  const isNamed = CERTIFICATE_NAMES[member].isOf(certificate, client[member] ?? '')
  return isNamed ? undefined : 'certificate_unexpected'
}
