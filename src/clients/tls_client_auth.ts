/** Client authentication by a certificate of a CA, which names the client. */

import { readDistinguishedName } from '../certificates/distinguished_name.ts'
import { isSameAddress } from '../lib/ip_address.ts'
import type { CertificateReason } from '../reasons.ts'
import type { Client, ClientAuth, ClientCertificate } from '../types.ts'

/** @see RFC 8705 §2.1 */
export function tlsClientAuth(): ClientAuth {
  return {
    method: 'tls_client_auth',
    isOfConnection: true,
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
  const names = NAMES.filter(([member]) => client[member] !== undefined)
  const [name, another] = names
  if (name === undefined || another !== undefined) return 'certificate_name_unregistered'
  const [member, isNamed] = name
  return isNamed(certificate, client[member] ?? '') ? undefined : 'certificate_unexpected'
}

type NameMember = Extract<keyof Client, `tls_client_auth_${string}`>

/** Exactly one of them is registered, RFC 8705 §2.1.2. Names are compared to the letter, but for what has no letter case. */
const NAMES: readonly [NameMember, (certificate: ClientCertificate, registered: string) => boolean][] = [
  ['tls_client_auth_subject_dn', ({ subject }, registered) => subject === nameOf(registered)],
  [
    'tls_client_auth_san_dns',
    ({ subjectAltNames: { dns } }, registered) => dns.some((name) => name.toLowerCase() === registered.toLowerCase()),
  ],
  ['tls_client_auth_san_uri', ({ subjectAltNames: { uri } }, registered) => uri.includes(registered)],
  [
    'tls_client_auth_san_ip',
    ({ subjectAltNames: { ip } }, registered) => ip.some((address) => isSameAddress(address, registered)),
  ],
  ['tls_client_auth_san_email', ({ subjectAltNames: { email } }, registered) => email.includes(registered)],
]

/** A registered text that is no name is the name of nobody. */
function nameOf(registered: string): string | undefined {
  try {
    return readDistinguishedName(registered)
  } catch {
    return undefined
  }
}
