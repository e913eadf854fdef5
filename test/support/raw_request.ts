/** Requests that `fetch` does not send: of given lines, or over a connection with a client certificate. */

import { once } from 'node:events'
import { request } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { ca } from './certificates.ts'

/** What a client shows, in PEM. */
export interface Shown {
  readonly key: string
  readonly certificate: string
}

/** Sends these lines. Returns the status of the answer. */
export async function sendRaw(port: number, lines: readonly string[]): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
  return Number((await text(socket)).split(' ')[1])
}

/** Sends a GET with this certificate. Returns the status of the answer. */
export async function requestWith(
  shown: Shown | undefined,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const tls = { ca: ca.certificate, ...(shown && { key: shown.key, cert: shown.certificate }), agent: false } as const
  const sent = request(url, { ...tls, headers }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode
}
