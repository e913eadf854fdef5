/** Client certificates of connections whose TLS a proxy or the platform terminates before this server. */

import { invalidRequest } from '../errors.ts'
import { type Caller, withCaller } from '../events/caller.ts'
import type { Emit, ServerEvent } from '../events/events.ts'
import { isInRanges } from '../lib/ip_address.ts'
import type { ClientCertificate } from '../types.ts'
import { readCertificate } from './certificate.ts'

/** What the platform knows about the connection of a request. */
export interface Connection {
  /** Returns the address of the peer. Called only when it matters, because some runtimes compute it on demand. */
  readonly peer?: () => string | undefined
  /** Returns the address of the caller, where the platform terminates connections and reports it. */
  readonly callerAddress?: () => string | undefined
  /** Returns the id that the platform made for the request. */
  readonly requestId?: () => string | undefined
}

/** A certificate as received: a byte sequence of RFC 8941 §3.3.5. */
export interface RawCertificate {
  readonly clientCert: string
  readonly isVerified: boolean
}

/** Returns the certificate that the client presented, if any. Throws OAuthError `invalid_request` if it cannot be read. */
export type FindCertificate = (
  request: Request,
  connection: Connection | undefined,
  /** Is named in the event of a certificate that is ignored. */
  caller?: Caller,
) => Promise<ClientCertificate | undefined>

export interface CertificateOptions {
  /** Returns the certificate that the platform reports, where the platform terminates TLS. */
  readonly fromPlatform?: ((request: Request) => RawCertificate | undefined) | undefined
  /** Addresses and CIDR ranges of proxies whose header is trusted; by default none. */
  readonly trustedProxies?: readonly string[] | undefined
  /** Whether those proxies forward only certificates that they have verified; by default false. */
  readonly isVerifiedByProxy?: boolean | undefined
  readonly emit: Emit
}

/**
 * Returns a function that finds the certificate of a request: the platform's if there is one, otherwise the one in the
 * `Client-Cert` header of a trusted proxy.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9440#section-2.2 RFC 9440 §2.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9440#section-4 RFC 9440 §4}
 */
export function clientCertificates(options: CertificateOptions): FindCertificate {
  return async (request, connection, caller) => {
    const raw = options.fromPlatform?.(request) ?? fromProxy(request, connection, options, caller)
    return raw === undefined ? undefined : readRaw(raw)
  }
}

function fromProxy(
  { headers, url }: Request,
  connection: Connection | undefined,
  { trustedProxies = [], isVerifiedByProxy = false, emit }: CertificateOptions,
  caller: Caller | undefined,
): RawCertificate | undefined {
  const clientCert = headers.get('Client-Cert')
  if (clientCert === null) return undefined
  const peer = connection?.peer?.()
  if (peer !== undefined && isInRanges(peer, trustedProxies)) return { clientCert, isVerified: isVerifiedByProxy }
  const { pathname: path } = new URL(url)
  const event: ServerEvent = { event: 'client_cert_ignored', path, ...(peer !== undefined && { peer }) }
  emit(caller === undefined ? event : withCaller(event, caller))
  return undefined
}

async function readRaw({ clientCert, isVerified }: RawCertificate): Promise<ClientCertificate> {
  try {
    const [, base64] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(clientCert.trim()) ?? []
    if (base64 === undefined) throw new TypeError('not a byte sequence')
    const der = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return await readCertificate(der, isVerified)
  } catch {
    throw invalidRequest('client_cert_malformed', 'The forwarded client certificate cannot be read.')
  }
}
