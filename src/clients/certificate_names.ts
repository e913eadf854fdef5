/** The names that identify a client in a CA's certificate: the form of each in the metadata, and its comparison. */

import { readDistinguishedName } from '../certificates/distinguished_name.ts'
import { isAddress, isSameAddress } from '../lib/ip_address.ts'
import type { Client, ClientCertificate } from '../types.ts'

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2 RFC 8705 §2.1.2} */
type NameMember = keyof Client & `tls_client_auth_${string}`

interface CertificateName {
  /** Returns whether a certificate can hold the registered name. */
  isWellFormed(registered: string): boolean
  /** The error text for a name that no certificate can hold. Completes a sentence that begins with the name of the member. */
  readonly form: string
  /** Returns whether the certificate holds the registered name. */
  isOf(certificate: ClientCertificate, registered: string): boolean
}

/** Labels of letters, digits, hyphens and underscores, RFC 1123 §2.1. No wildcard, because it would only match itself. */
const HOST = /^(?=.{1,253}$)[a-z\d_](?:[\w-]{0,61}[a-z\d_])?(?:\.[a-z\d_](?:[\w-]{0,61}[a-z\d_])?)*$/i

/** By member. Names are compared exactly, except where letter case or notation is not significant. */
export const CERTIFICATE_NAMES: Readonly<Record<NameMember, CertificateName>> = {
  tls_client_auth_subject_dn: {
    isWellFormed: (text) => nameOf(text) !== undefined,
    form: 'must be a distinguished name of RFC 4514',
    isOf: ({ subject }, registered) => subject === nameOf(registered),
  },
  tls_client_auth_san_dns: {
    isWellFormed: (text) => HOST.test(text),
    form: 'must be a host name without a wildcard',
    isOf: ({ subjectAltNames: { dns } }, registered) =>
      dns.some((name) => name.toLowerCase() === registered.toLowerCase()),
  },
  tls_client_auth_san_uri: {
    isWellFormed: (text) => /^[a-z][a-z\d+.-]*:[\x21-\x7e]+$/i.test(text) && URL.canParse(text),
    form: 'must be an absolute URI',
    isOf: ({ subjectAltNames: { uri } }, registered) => uri.includes(registered),
  },
  tls_client_auth_san_ip: {
    isWellFormed: isAddress,
    form: 'must be an IP address, IPv4 as four decimal numbers without leading zeros',
    isOf: ({ subjectAltNames: { ip } }, registered) => ip.some((address) => isSameAddress(address, registered)),
  },
  tls_client_auth_san_email: {
    isWellFormed: (text) => /^[\x21-\x3f\x41-\x7e]{1,64}@/.test(text) && HOST.test(text.slice(text.indexOf('@') + 1)),
    form: 'must be an email address',
    isOf: ({ subjectAltNames: { email } }, registered) => email.includes(registered),
  },
}

export const NAME_MEMBERS = Object.keys(CERTIFICATE_NAMES) as readonly NameMember[]

/** Returns the first member that no certificate can match, with its error text, or undefined if there is none. */
export function problemOfNames(metadata: Pick<Client, NameMember>): string | undefined {
  const member = NAME_MEMBERS.find((each) => {
    const text = metadata[each]
    return text !== undefined && !CERTIFICATE_NAMES[each].isWellFormed(text)
  })
  return member && `${member}: ${CERTIFICATE_NAMES[member].form}`
}

/** Returns undefined for text that is not a distinguished name. No certificate matches it. */
function nameOf(registered: string): string | undefined {
  try {
    return readDistinguishedName(registered)
  } catch {
    return undefined
  }
}
