/** Requests and responses of Node's `http`, as Express and Fastify hand them on. */

import type { ClientCertificate } from './bindings.ts'
import type { GuardedRequest } from './credentials.ts'

/** What is used of an `IncomingMessage`. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Name, value, name, value: unlike `headers`, with every Authorization header. */
  readonly rawHeaders: readonly string[]
  readonly socket: object
}

interface TlsSocket {
  readonly encrypted?: boolean
  readonly authorized?: boolean
  getPeerCertificate?(): { readonly raw?: Uint8Array }
}

/** @param target path and query that the client sent, if a framework has changed `url` */
export function guardedRequestOf(request: NodeRequest, target: string = request.url ?? '/'): GuardedRequest {
  const get = (name: string): string | null => {
    const isNamed = (_: string, index: number, all: readonly string[]): boolean =>
      index % 2 === 1 && all[index - 1]?.toLowerCase() === name.toLowerCase()
    const values = request.rawHeaders.filter(isNamed)
    return values.length > 0 ? values.join(', ') : null
  }
  const protocol = (request.socket as TlsSocket).encrypted ? 'https' : 'http'
  // A target in absolute form, RFC 9112 §3.2.2, is a URL already.
  const url = target.startsWith('/')
    ? `${protocol}://${get('Host') ?? get(':authority') ?? 'localhost'}${target}`
    : target
  return { method: request.method ?? 'GET', url, headers: { get } }
}

/** Returns the client certificate of a TLS connection, if Node has verified it. */
export function certificateOf({ socket }: NodeRequest): ClientCertificate | undefined {
  const { authorized, getPeerCertificate } = socket as TlsSocket
  const raw = authorized ? getPeerCertificate?.call(socket).raw : undefined
  return raw === undefined ? undefined : new Uint8Array(raw)
}
