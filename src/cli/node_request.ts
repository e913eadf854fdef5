/** Requests on Node by `node:http` and `node:https`: its `fetch` cannot present a certificate, and leaves far more garbage behind. */

import http from 'node:http'
import https from 'node:https'

/** A request as `fetch` takes it. */
export interface Outgoing {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly redirect: 'manual'
  readonly signal: AbortSignal
  readonly body?: string
}

/** What is read of a response; that of `fetch` is one. */
export interface Incoming {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** The certificate of the client and its private key, in PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** As `fetch` sends them: some proxies refuse a request without. */
const USUAL_HEADERS = { accept: '*/*', 'user-agent': 'node' }

/** Sends a request over a connection that is kept for the next one. The body of a redirect is not received. */
export function requestOnNode(
  url: string,
  { method, headers, signal, body }: Outgoing,
  identity: Identity | undefined,
): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const { request } = new URL(url).protocol === 'https:' ? https : http
    const sent = request(url, { method, headers: { ...USUAL_HEADERS, ...headers }, signal, ...identity })
    sent.on('response', (message) => {
      const { statusCode: status = 0 } = message
      const isRedirect = status >= 300 && status < 400
      // An open response would keep the process from ending.
      if (isRedirect) message.destroy()
      const get = (name: string): string | null => message.headers[name.toLowerCase()]?.toString() ?? null
      resolve({ status, headers: { get }, body: isRedirect ? null : message })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
