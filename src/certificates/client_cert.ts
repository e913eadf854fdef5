/** Where a certificate comes from when TLS ends before this server: a `Client-Cert` header, or what the platform says. */

import { invalidRequest } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { isInRanges } from '../lib/ip_address.ts'
import type { ClientCertificate } from '../types.ts'
import { readCertificate } from './certificate.ts'

/** What the platform knows about the connection beside the request. */
export interface Connection {
  /** Gives the address of who is connected; asked only when it matters, for telling it costs. */
  readonly peer?: () => string | undefined
}

/** A certificate as it came: a byte sequence of RFC 8941 §3.3.5. */
export interface RawCertificate {
  readonly clientCert: string
  readonly isVerified: boolean
}

/** Gives the certificate that the client showed, if any; throws OAuthError `invalid_request` when it cannot be read. */
export type FindCertificate = (
  request: Request,
  connection: Connection | undefined,
) => Promise<ClientCertificate | undefined>

export interface CertificateOptions {
  /** What the platform that ended TLS says itself. */
  readonly fromPlatform?: ((request: Request) => RawCertificate | undefined) | undefined
  /** Addresses and CIDR ranges of proxies whose header counts. */
  readonly trustedProxies: readonly string[]
  /** Whether those proxies let only certificates through that they verified. */
  readonly isVerifiedByProxy: boolean
  readonly emit: Emit
}

/** @see RFC 9440 §2.2, §4 */
export function clientCertificates(options: CertificateOptions): FindCertificate {
  return async (request, connection) => {
    const raw = options.fromPlatform?.(request) ?? fromProxy(request, connection, options)
    return raw === undefined ? undefined : readRaw(raw)
  }
}

function fromProxy(
  { headers, url }: Request,
  connection: Connection | undefined,
  { trustedProxies, isVerifiedByProxy, emit }: CertificateOptions,
): RawCertificate | undefined {
  const clientCert = headers.get('Client-Cert')
  if (clientCert === null) return undefined
  const peer = connection?.peer?.()
  if (peer !== undefined && isInRanges(peer, trustedProxies)) return { clientCert, isVerified: isVerifiedByProxy }
  emit({ event: 'client_cert_ignored', path: new URL(url).pathname, ...(peer !== undefined && { peer }) })
  return undefined
}

async function readRaw({ clientCert, isVerified }: RawCertificate): Promise<ClientCertificate> {
  try {
    const [, base64] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(clientCert.trim()) ?? []
    if (base64 === undefined) throw new TypeError('not a byte sequence')
    const der = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return await readCertificate(der, isVerified)
  } catch {
    throw invalidRequest('client_cert_malformed', 'The client certificate that was handed on cannot be read.')
  }
}
