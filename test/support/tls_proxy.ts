/** A proxy that ends mutual TLS and hands the client's certificate on, RFC 9440; and a fetch that shows a certificate. */

import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { ca, server } from './certificates.ts'

export interface TlsProxy {
  readonly origin: string
  stop(): void
}

/** @param rejectUnauthorized whether only certificates of the CA pass */
export async function startTlsProxy(target: string, rejectUnauthorized: boolean): Promise<TlsProxy> {
  const tls = { key: server.key, cert: server.certificate, ca: ca.certificate, requestCert: true, rejectUnauthorized }
  const listener = createServer(tls, async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const headers = new Headers()
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (typeof value === 'string' && !['connection', 'content-length', 'client-cert'].includes(name))
        headers.set(name, value)
    }
    const { raw } = (incoming.socket as TLSSocket).getPeerCertificate()
    if (raw !== undefined) headers.set('Client-Cert', `:${raw.toString('base64')}:`)
    const { method = 'GET', url } = incoming
    const body = method === 'GET' ? null : Buffer.concat(chunks)
    const response = await fetch(target + url, { method, headers, body })
    outgoing.writeHead(response.status, { 'Content-Type': response.headers.get('Content-Type') ?? '' })
    outgoing.end(await response.text())
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return { origin: `https://localhost:${address.port}`, stop: () => void listener.close() }
}

/** A `fetch` for forms whose connections show this certificate. */
export function fetchWith(shown: { readonly key: string; readonly certificate: string } | undefined) {
  const tls = { ca: ca.certificate, ...(shown && { key: shown.key, cert: shown.certificate }), agent: false } as const
  return async (
    url: string,
    init: { method: string; headers: Record<string, string>; body: unknown },
  ): Promise<Response> => {
    const sent = request(url, { ...tls, method: init.method, headers: init.headers })
    sent.end(String(init.body))
    const [received] = await once(sent, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of received) chunks.push(chunk)
    const headers = { 'Content-Type': received.headers['content-type'] }
    return new Response(Buffer.concat(chunks), { status: received.statusCode, headers })
  }
}
